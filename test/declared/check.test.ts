import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { pathOf } from '../../src/declared/bind.ts';
import { readDeclaration } from '../../src/declared/check.ts';
import { permissionOf } from '../../src/domain/declaration.ts';
import { GatehouseError } from '../../src/domain/errors.ts';

const orderStatus = {
  name: 'OrderStatus',
  title: 'Order status',
  description: 'Tells where an order stands. Use when a customer asks about an order.',
  operation: 'query',
  input: {
    orderNumber: { type: 'text', pattern: '[0-9]{8}', maxLength: 8, required: true, description: 'Eight digits' },
  },
  object: 'Order',
  fields: ['OrderNumber', 'Status', 'Account.Name'],
  where: [
    { field: 'OrderNumber', is: { input: 'orderNumber' } },
    { field: 'Account.Host_Key__c', is: { session: 'indexValue' } },
  ],
  limit: 5,
  returns: { rows: ['OrderNumber', 'Status'] },
};
const { object, fields, where, limit, returns, ...base } = orderStatus;
const apex = {
  ...base,
  operation: 'apex-rest',
  method: 'GET',
  path: '/orders/{orderNumber}/lines',
  returns: ['status'],
};
const taken = ['GetAccount', 'READ_ACCOUNT', 'RunSOQL', 'GetProposal', 'CreateCase', 'CUSTOM_CREATE_CASE'];
const read = (value: unknown, audience: 'internal' | 'public' = 'internal') =>
  readDeclaration(value, { audience, taken });
const problems = (value: unknown, audience?: 'public') => {
  const found = read(value, audience);
  return 'problems' in found ? found.problems.map(({ name, problem }) => `${name}: ${problem}`).join('\n') : '';
};

describe('a definition of an action', () => {
  it('is read as it is written in the docs, and names its own permission [A5]', () => {
    expect(read(orderStatus)).toMatchObject({ declaration: { name: 'OrderStatus', operation: 'query' } });
    expect(read(apex)).toHaveProperty('declaration');
    expect(permissionOf('OrderStatus')).toBe('CUSTOM_ORDER_STATUS');
  });

  it('is not called like a decision, a door or a command of ours, in whatever letters [A5] [C3]', () => {
    const verbs = COMMANDS.map(({ name }) => name.split(' ')[0] ?? '');
    const everyObjects = Object.getOwnPropertyNames(Object.prototype).map((name) => name.replaceAll('_', ''));
    const doors = [
      'Approve',
      'APPROVE',
      'Reject',
      'Decline',
      'Confirm',
      'Undo',
      'Yes',
      'SyncHeld',
      'SalesforceLink',
      'SignIn',
    ];
    for (const name of new Set(
      [...doors, ...verbs, ...everyObjects].filter((one) => /^[A-Za-z0-9]{2,40}$/.test(one)),
    )) {
      const written = `${name[0]?.toUpperCase()}${name.slice(1)}`;
      expect(problems({ ...orderStatus, name: written }), written).toMatch(/^name: /);
    }
    for (const name of ['ApproveOrder', 'OrderStatus', 'CancelSubscription', 'LinkOrders'])
      expect(problems({ ...orderStatus, name }), name).toBe('');
  });

  it.each<[string, object, RegExp]>([
    ['an unknown key', { ...orderStatus, headers: {} }, /^headers: unknown key/],
    ['an unknown operation', { ...orderStatus, operation: 'delete-all' }, /^operation: must be one of get, query/],
    ['a permission of its own', { ...orderStatus, permission: 'RUN_SOQL' }, /^permission: unknown key/],
    ['a name like another but for case', { ...orderStatus, name: 'GETAccount' }, /^name: reads like GetAccount/],
    ['a name like one that is declared', { ...orderStatus, name: 'Createcase' }, /^name: reads like CreateCase/],
    ['a name like a permission', { ...orderStatus, name: 'ReadAccount' }, /^name: reads like READ_ACCOUNT/],
    ['a name like a tool of ours', { ...orderStatus, name: 'Getproposal' }, /^name: reads like GetProposal/],
    ['a name with other letters', { ...orderStatus, name: 'ОrderStatus' }, /^name: must be PascalCase/],
    [
      'a hidden character in a name',
      { ...orderStatus, name: 'Order\u200bStatus' },
      /name: contains the invisible character U\+200B/,
    ],
    [
      'hidden words in a description',
      { ...orderStatus, description: 'Tells\u{e0041}' },
      /description: contains the invisible/,
    ],
    [
      'hidden words in an input',
      { ...orderStatus, input: { orderNumber: { ...orderStatus.input.orderNumber, description: 'x\u202e' } } },
      /input.orderNumber.description: contains/,
    ],
    ['a hidden character in a key', { ...orderStatus, 'in\u200bput': 1 }, /contains the invisible/],
    ['a prototype', JSON.parse('{"__proto__":{"risk":"read"},"operation":"query"}'), /^__proto__: unknown key/],
    ['a lowered risk', { ...apex, risk: 'read' }, /^risk: is at least destructive/],
    ['an input that is not there', { ...orderStatus, input: {} }, /takes orderNumber, which is no input/],
    [
      'an input that is used nowhere',
      { ...orderStatus, input: { ...orderStatus.input, other: { type: 'boolean', description: 'x' } } },
      /input.other: is used nowhere/,
    ],
    [
      'a condition that may be left out',
      { ...orderStatus, input: { orderNumber: { ...orderStatus.input.orderNumber, required: false } } },
      /must be required/,
    ],
    [
      'an expression in place of a value',
      { ...orderStatus, where: [{ field: 'OrderNumber', is: "'x' OR 1=1" }] },
      /where\[0\].is: must be one of/,
    ],
    ['a field with SOQL in it', { ...orderStatus, fields: ['Id FROM User --'] }, /fields\[0\]: must be a field/],
    ['an object with SOQL in it', { ...orderStatus, object: 'Order, User' }, /object: must be an API name/],
    [
      'returns of what is not read',
      { ...orderStatus, returns: { rows: ['Owner.Email'] } },
      /names Owner.Email, which is not among fields/,
    ],
    ['soql beside fields', { ...orderStatus, soql: 'SELECT Id FROM Order' }, /stands in soql already/],
    [
      'a user as a record',
      { ...base, operation: 'create', object: 'User', set: { Email: { input: 'orderNumber' } } },
      /User is never written/,
    ],
    [
      'permission sets',
      {
        ...base,
        operation: 'update',
        object: 'PermissionSetAssignment',
        id: { input: 'orderNumber' },
        set: { X: { value: 1 } },
      },
      /never written/,
    ],
    [
      'shares',
      { ...base, operation: 'create', object: 'AccountShare', set: { X: { input: 'orderNumber' } } },
      /never written/,
    ],
    [
      'an Id to set',
      { ...base, operation: 'create', object: 'Case', set: { Id: { input: 'orderNumber' } } },
      /set.Id: is set by Salesforce alone/,
    ],
    [
      'two targets',
      {
        ...base,
        operation: 'get',
        object: 'Case',
        fields: ['Status'],
        id: { input: 'orderNumber' },
        key: { field: 'CaseNumber', is: { input: 'orderNumber' } },
      },
      /exactly one of id and key/,
    ],
    [
      'an event as a record',
      { ...base, operation: 'create', object: 'Order_Event__e', set: { A__c: { input: 'orderNumber' } } },
      /publish/,
    ],
    [
      'a record as an event',
      { ...base, operation: 'publish', object: 'Case', set: { A__c: { input: 'orderNumber' } } },
      /must be a platform event/,
    ],
    ['a step up in the path', { ...apex, path: '/orders/../{orderNumber}' }, /path: has "\.\."/],
    ['an encoded slash', { ...apex, path: '/orders%2F{orderNumber}' }, /path: has/],
    ['an encoded dot', { ...apex, path: '/%2e%2e/{orderNumber}' }, /path: has/],
    ['a question mark', { ...apex, path: '/orders?id={orderNumber}' }, /path: has/],
    ['a fragment', { ...apex, path: '/orders#{orderNumber}' }, /path: has/],
    ['a backslash', { ...apex, path: '/orders\\{orderNumber}' }, /path: has/],
    ['another host', { ...apex, path: '//evil.example/{orderNumber}' }, /path: has an empty segment/],
    ['a placeholder inside a segment', { ...apex, path: '/orders/x{orderNumber}' }, /a placeholder is a whole segment/],
    ['a path from elsewhere', { ...apex, path: 'https://evil.example/{orderNumber}' }, /path: must begin with \//],
    ['headers', { ...apex, headers: { Authorization: 'x' } }, /headers: unknown key/],
    ['a body of a GET', { ...apex, body: { a: { input: 'orderNumber' } } }, /cannot be sent with GET/],
    ['text in a body', { ...apex, method: 'POST', body: { a: 'x' } }, /body.a: must be a value source/],
    ['a deep body', { ...apex, method: 'POST', body: { a: { b: { c: { d: { value: 1 } } } } } }, /deeper than 3/],
    [
      'a pattern that takes for ever',
      { ...orderStatus, input: { orderNumber: { ...orderStatus.input.orderNumber, pattern: '(a+)+' } } },
      /pattern: has "\("/,
    ],
    [
      'an open count',
      { ...orderStatus, input: { orderNumber: { ...orderStatus.input.orderNumber, pattern: 'a*' } } },
      /pattern: has "\*"/,
    ],
    [
      'a pattern with many ways',
      {
        ...orderStatus,
        input: { orderNumber: { ...orderStatus.input.orderNumber, pattern: 'a{0,99}a{0,99}a{0,99}b' } },
      },
      /too many ways/,
    ],
    [
      'a text without a limit',
      { ...orderStatus, input: { orderNumber: { type: 'text', required: true, description: 'x' } } },
      /maxLength/,
    ],
    ['a huge definition', { ...orderStatus, description: 'x'.repeat(30_000) }, /characters, at most/],
    ['nothing', {}, /operation: must be one of/],
  ])('is refused with %s [A5]', (_, value, said) => {
    expect(problems(value)).toMatch(said);
  });

  it('answers strangers about their session alone, or is refused for a public bot [A5] [P6]', () => {
    expect(problems(orderStatus, 'public')).toBe('');
    const free = { ...orderStatus, where: orderStatus.where.slice(0, 1) };
    expect(problems(free, 'public')).toMatch(/bind where, id or key to \{"session": "indexValue"\}/);
    expect(problems(free)).toBe('');
    expect(problems(apex, 'public')).toMatch(/bind a value/);
    expect(problems({ ...apex, query: { account: { session: 'indexValue' } } }, 'public')).toBe('');
    const soql = { ...base, operation: 'query', soql: 'SELECT Id FROM Order WHERE OrderNumber = :orderNumber' };
    expect(problems(soql, 'public')).toMatch(/public bot/);
  });
});

describe('the path of an Apex class', () => {
  it('stays the path that was declared, whatever the value is made of [A5]', () => {
    const parts = [
      'a',
      '1',
      '.',
      '..',
      '/',
      '\\',
      '%',
      '%2F',
      '%2e',
      '?',
      '#',
      ';',
      '@',
      ':',
      ' ',
      'é',
      '\u0000',
      '\ud800',
      '{x}',
    ];
    let state = 11;
    const random = (below: number) => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      return Math.floor((state / 2 ** 31) * below);
    };
    let sent = 0;
    for (let round = 0; round < 5_000; round += 1) {
      const value = Array.from({ length: random(6) }, () => parts[random(parts.length)]).join('');
      let path: string;
      try {
        path = pathOf('/orders/{orderNumber}/lines', { orderNumber: value });
      } catch (error) {
        expect(error).toBeInstanceOf(GatehouseError);
        continue;
      }
      sent += 1;
      const { pathname, search, hash, host } = new URL(`https://org.example${path}`);
      expect([host, search, hash]).toEqual(['org.example', '', '']);
      expect(pathname.split('/')).toHaveLength(6);
      expect(pathname).toMatch(/^\/services\/apexrest\/orders\/[^/]+\/lines$/);
      expect(decodeURIComponent(pathname.split('/')[4]!)).toBe(value);
    }
    expect(sent).toBeGreaterThan(300);
  });
});
