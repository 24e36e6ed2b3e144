import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import type { ErrorBody } from '../../src/domain/errors.ts';
import type { Paths } from '../../src/http/api.ts';
import { problemOf } from '../support/answers.ts';
import { type Door, openDoor } from '../support/door.ts';

type Json = Record<string, unknown>;

describe('what routes answer', () => {
  const answer = z.strictObject({ rows: z.array(z.strictObject({ id: z.string(), at: z.iso.datetime() })) });
  const row = { id: 'a', at: '2026-01-01T00:00:00.000Z' };

  it.each([
    ['a field that nobody declared', { rows: [{ ...row, secret: 'x' }] }, 'rows.0: Unrecognized key: "secret"'],
    ['a field that is missing', { rows: [{ id: 'a' }] }, 'rows.0.at'],
    ['a time that is a number', { rows: [{ ...row, at: 1 }] }, 'rows.0.at'],
  ])('cannot hold %s: the test that asks fails', (_, json, problem) => {
    expect(problemOf({ answer }, { json: { rows: [row] } })).toBeUndefined();
    expect(problemOf({ answer }, { json })).toContain(problem);
    expect(problemOf({ answer: 'text/xml' }, { json })).toBe('JSON');
    expect(problemOf({ answer: 'text/xml' }, { text: '', type: 'text/plain' })).toBe('text/plain');
  });
});

describe('the OpenAPI document', () => {
  let door: Door;
  let operations: { name: string; operation: Json }[];
  let document: { paths: Record<string, Record<string, Json>>; components: { schemas: Record<string, Json> } };
  beforeAll(async () => {
    door = await openDoor({}, async ({ app }) => ({
      routes: (await app.sync()).routes,
      context: app.gate.accountContext,
    }));
    document = (await door.ask('GET', '/api/openapi.json')).json;
    operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, operation })),
    );
  });
  afterAll(() => door[Symbol.asyncDispose]());

  it('leaves no answer out: each operation has the form of its success and of its refusals [W9]', () => {
    expect(operations.length).toBeGreaterThan(70);
    for (const { name, operation } of operations) {
      const { default: refused, ...successes } = operation.responses as Record<string, { content?: Json }>;
      expect([name, refused?.content]).toEqual([
        name,
        { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      ]);
      expect([name, Object.keys(successes).length]).not.toEqual([name, 0]);
      for (const { content } of Object.values(successes)) {
        const schema = (content?.['application/json'] as { schema?: Json } | undefined)?.schema;
        const isDescribed = schema === undefined ? content !== undefined : Object.keys(schema).length > 0;
        expect([name, isDescribed]).toEqual([name, true]);
      }
    }
    const asText = operations.flatMap(({ name, operation }) =>
      /"(text\/\w|application\/json":\{\})/.test(JSON.stringify(operation.responses)) ? [name] : [],
    );
    // Whatever is no JSON with a form of its own stands here.
    expect(asText.sort()).toEqual([
      'get /api/events',
      'get /api/openapi.json',
      'post /api/bots/{bot}/conversations/{id}/messages',
      'post /api/bots/{bot}/conversations/{id}/proposals/{proposal}',
      'post /api/bots/{bot}/conversations/{id}/resume',
      'post /api/bots/{bot}/playground/{id}/messages',
      'post /api/bots/{bot}/playground/{id}/resume',
      'post /api/webhooks/salesforce/{token}',
    ]);
  });

  it('says which parts of an address must be there [W9]', () => {
    const parameters = document.paths['/api/bots/{bot}']?.delete?.parameters;
    expect(parameters).toEqual([
      expect.objectContaining({ name: 'bot', in: 'path', required: true }),
      expect.objectContaining({ name: 'confirm', in: 'query', required: true }),
    ]);
  });

  it('holds each form once, and every one that it names [W9]', () => {
    const text = JSON.stringify(document);
    const { schemas } = document.components;
    const named = new Set([...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, to]) => to));
    expect([...named].sort()).toEqual(
      Object.keys(schemas)
        .map((name) => `#/components/schemas/${name}`)
        .sort(),
    );
    for (const [name, schema] of Object.entries(schemas))
      expect([name, text.split(JSON.stringify(schema)).length - 1]).toEqual([name, 1]);
  });
});

describe('answers that no other test asks for at a door', () => {
  it('are what their routes declare, too [W9]', async () => {
    await using door = await openDoor({}, async ({ app }) => ({
      routes: (await app.sync()).routes,
      context: app.gate.accountContext,
    }));
    const { world, keys } = door;
    const operator = await door.operatorKey('admin');
    const ask = async (key: string, method: string, path: string, json?: Json, headers = {}) => {
      const answer = await door.ask(method, path, { key, headers, ...(json === undefined ? {} : { json }) });
      expect([method, path, answer.status, answer.text]).toEqual([
        method,
        path,
        expect.toBeOneOf([200, 201]),
        answer.text,
      ]);
      return answer.json;
    };
    const host = (method: string, path: string, json?: Json) => ask(keys.host, method, path, json);
    const admin = (method: string, path: string, json?: Json) => ask(operator, method, `/api/bots/demo${path}`, json);
    const [contact] = await world.records('Contact');
    const [opportunity] = await world.records('Opportunity');

    await host('PUT', '/api/parties/p1', { name: 'Ada King', email: 'ada.king@example.com' });
    await host('PUT', '/api/cases/c1', { title: 'A case', parties: [{ externalId: 'p1', role: 'other' }] });
    await host('GET', '/api/cases/c1/salesforce');
    await host('PUT', '/api/cases/c1/salesforce', { recordId: opportunity?.Id, user: 'ada' });
    await host('DELETE', '/api/cases/c1/salesforce?user=ada');
    await host('DELETE', '/api/cases/c1');

    await admin('POST', '/sync/links', { kind: 'party', localId: 'p1', recordId: contact?.Id });
    await admin('POST', '/sync/unlink', { kind: 'party', localId: 'p1' });
    await admin('POST', '/sync/parents', { object: 'Account', name: 'Nowhere Ltd', leaveOut: true });
    await admin('POST', '/sync/inbound-token', {});
    await admin('PUT', '/sync/webhook', { url: 'http://localhost:9/' });
    await admin('DELETE', '/sync/webhook');

    await host('PUT', '/api/parties/p2', { name: 'Eve', email: 'eve@example.com', phone: '1' });
    const { crmRecordId } = await host('POST', '/api/crm/salesforce/sync', { customerId: 'p2' });
    world.clock.advance(600_000);
    await host('PUT', '/api/parties/p2', { phone: '2' });
    world.clock.advance(60_000);
    await world.sim('POST', 'records/Contact', { Id: crmRecordId, Phone: '3' });
    await host('POST', '/api/crm/salesforce/sync', { customerId: 'p2' });
    const { logs } = await admin('GET', '/sync/logs?conflict=true');
    await admin('POST', `/sync/logs/${logs[0].id}/restore`, {});

    const [account] = await world.records('Account');
    const { session } = await host('POST', '/api/bots/demo/sessions', { indexValue: account?.Account_Key__c });
    await ask(keys.host, 'GET', '/api/bots/demo/context', undefined, { 'gatehouse-session': session });
    const as = await door.signIn();
    const made = await door.ask('POST', '/api/bots/demo/keys', { as, json: { kind: 'host' } });
    expect(made.status).toBe(201);
  });
});

/** Judged by the compiler: that this file has no type error is the test. */
describe('a client that is typed by the routes', () => {
  type Of<P extends keyof Paths, M extends keyof Paths[P]> = Paths[P][M];
  type Answered<O> = O extends { responses: { 200: { content: { 'application/json': infer T } } } } ? T : never;
  type Refused<O> = O extends { responses: { default: { content: { 'application/json': infer T } } } } ? T : never;
  type Sent<O> = O extends { requestBody?: { content: { 'application/json': infer T } } } ? T : never;
  type Links = Of<'/api/bots/{bot}/sync/links', 'get'>;
  type Webhook = Of<'/api/bots/{bot}/sync/webhook', 'put'>;

  it('knows every path of both rooms, and no other', () => {
    // @ts-expect-error no such path
    expectTypeOf<Paths['/api/nothing']>().toBeNever();
    // @ts-expect-error no such method
    expectTypeOf<Of<'/api/proposals', 'put'>>().toBeNever();
    expectTypeOf<Of<'/api/bots/{bot}/sync/batches/{id}/pause', 'post'>>().toExtend<object>();
    expectTypeOf<Of<'/api/proposals/{id}/approve', 'post'>>().toExtend<object>();
  });

  it('must say the parts of the path, a body and what a query needs', () => {
    expectTypeOf<Links['parameters']['path']>().toEqualTypeOf<{ readonly bot: string }>();
    // @ts-expect-error the bot is missing
    const incomplete: Links['parameters'] = {};
    // @ts-expect-error a state that there is not
    const misspelt: Links['parameters'] = { path: { bot: 'demo' }, query: { state: 'faild' } };
    const good: Links['parameters'] = { path: { bot: 'demo' }, query: { state: 'failed', limit: 5 } };
    // @ts-expect-error nobody confirmed
    const unconfirmed: Of<'/api/bots/{bot}', 'delete'>['parameters'] = { path: { bot: 'demo' } };
    // @ts-expect-error an address is text
    const body: Sent<Webhook> = { url: 5 };
    expectTypeOf<Webhook>().not.toExtend<{ requestBody?: undefined }>();
    expect([incomplete, misspelt, good, unconfirmed, body]).toHaveLength(5);
  });

  it('reads answers and refusals as they are', () => {
    // Both ways: no field is told that is not declared, and none is declared that there is not.
    expectTypeOf<keyof ErrorBody['error']>().toEqualTypeOf<keyof Refused<Links>['error']>();
    expectTypeOf<ErrorBody['error']['code']>().toEqualTypeOf<Refused<Links>['error']['code']>();
    type Link = Answered<Links>['links'][number];
    expectTypeOf<Link['recordId']>().toEqualTypeOf<string | null>();
    expectTypeOf<Link['state']>().toExtend<'new' | 'active' | 'ambiguous' | 'remote_deleted' | string>();
    // @ts-expect-error no such field
    expectTypeOf<Link['sfId']>().toBeString();
    expectTypeOf<Refused<Links>['error']['next']>().toBeString();
    expectTypeOf<Answered<Of<'/api/proposals', 'get'>>['proposals'][number]['createdAt']>().toBeString();
    expectTypeOf<
      Answered<Of<'/api/bots/{bot}/mappings/{kind}', 'get'>>['mapping']['rules'][number]['local']
    >().toEqualTypeOf<string[]>();
  });
});
