import { describe, expect, it } from 'vitest';
import { createServedWorld, createSimWorld, refusal } from './org-world.ts';

const HOUR = 60 * 60_000;
const THING =
  '{"name":"Thing__c","label":"Thing","fields":[{"name":"Id","type":"id"}],"childRelationships":[{"childSObject":"X","field":"Y","relationshipName":null}],"urls":{},"newKey":{}}';

describe('describes', () => {
  it('are asked once an hour per connection, however many callers and processes [A2] [B5]', async () => {
    await using world = await createSimWorld();
    const calls = async () => (await world.control('GET', 'calls')).count;
    const before = await calls();
    const org = await world.open();
    await Promise.all(Array.from({ length: 10 }, () => org.describe('Account')));
    await (await world.again().open('demo', { signal: new AbortController().signal })).describe('account');
    expect((await calls()) - before).toBe(1);
    const account = await org.describe('Account');
    expect(account).toMatchObject({ name: 'Account', keyPrefix: '001' });
    expect(account.fields.find(({ name }) => name === 'Industry')).toMatchObject({
      restrictedPicklist: false,
      picklistValues: expect.arrayContaining([expect.objectContaining({ active: true })]),
    });
  });

  it('are asked anew for another user of the same connection, who may see less [A2] [K8]', async () => {
    await using world = await createSimWorld();
    await (await world.open()).describe('Account');
    const before = (await world.control('GET', 'calls')).count;
    await world.store.connections.patch('demo', { userId: '005000000000ZZZEAQ' });
    await (await world.open()).describe('Account');
    expect((await world.control('GET', 'calls')).count - before).toBe(1);
  });

  it('tell which fields answer otherwise than they were written, also where an older describe is remembered [G02] [H1]', async () => {
    await using world = await createServedWorld((_, response) => {
      const fields = [
        { name: 'Tax__c', type: 'encryptedstring', encrypted: true, mask: 'asterisk', maskType: 'lastFour' },
        { name: 'Shielded__c', type: 'string', encrypted: true, mask: null },
        { name: 'Story__c', type: 'textarea', htmlFormatted: true, extraTypeInfo: 'richtextarea' },
        { name: 'Plain__c', type: 'textarea', htmlFormatted: false, extraTypeInfo: 'plaintextarea' },
        { name: 'Sum__c', type: 'double', calculated: true, precision: 18, scale: 2, digits: 0 },
        { name: 'Number__c', type: 'string', autoNumber: true },
      ];
      response.end(JSON.stringify({ name: 'Thing__c', fields }));
    });
    const { fields } = await (await world.open()).describe('Thing__c');
    const told = fields.map(({ name, isMasked, isRichText, isCalculated, isAutoNumber, precision }) => ({
      ...{ name, isMasked, isRichText, isCalculated, isAutoNumber, precision },
    }));
    expect(told).toEqual([
      { name: 'Tax__c', isMasked: true },
      { name: 'Shielded__c' },
      { name: 'Story__c', isRichText: true },
      { name: 'Plain__c' },
      { name: 'Sum__c', isCalculated: true, precision: 18 },
      { name: 'Number__c', isAutoNumber: true },
    ]);
  });

  it('are then asked again only for what changed [B5]', async () => {
    await using world = await createServedWorld((request, response) => {
      if (request.headers['if-modified-since'] === 'Fri, 01 May 2026 07:00:00 GMT') {
        response.writeHead(304).end();
      } else {
        response.setHeader('last-modified', 'Fri, 01 May 2026 07:00:00 GMT');
        response.end(THING);
      }
    });
    const first = await (await world.open()).describe('Thing__c');
    world.clock.advance(HOUR + 1);
    expect(await (await world.open()).describe('Thing__c')).toEqual(first);
    expect(await (await world.open()).describe('Thing__c')).toEqual(first);
    expect(world.server.seen.map(({ headers }) => headers['if-modified-since'])).toEqual([
      undefined,
      'Fri, 01 May 2026 07:00:00 GMT',
    ]);
  });

  it('are looked at again once Salesforce says that a field is not there [A2]', async () => {
    await using world = await createServedWorld((request, response) => {
      if (request.method === 'POST') {
        response.statusCode = 400;
        response.end('[{"message":"No such column","errorCode":"INVALID_FIELD"}]');
      } else response.end(THING);
    });
    const org = await world.open();
    await org.describe('Thing__c');
    await refusal(org.create('Thing__c', { Gone__c: 1 }));
    await org.describe('Thing__c');
    expect(world.server.seen.filter(({ url }) => url.endsWith('/describe'))).toHaveLength(2);
  });

  it('of an object that is not there say so [R4]', async () => {
    await using world = await createSimWorld();
    const org = await world.open();
    expect(await refusal(org.describe('Nope__c'))).toMatchObject({
      code: 'not_found',
      message: expect.stringContaining('object'),
    });
    expect((await refusal(org.describe('../limits'))).code).toBe('invalid_input');
  });

  it('of an object that is not there are asked once a minute, not once a query [R4]', async () => {
    let isThere = false;
    await using world = await createServedWorld((_, response) => {
      response.statusCode = isThere ? 200 : 404;
      response.end(isThere ? THING : '[{"message":"The requested resource does not exist","errorCode":"NOT_FOUND"}]');
    });
    const ask = async (name: string) => (await world.open()).describe(name);
    await Promise.all(Array.from({ length: 5 }, () => refusal(ask('Thing__c'))));
    expect((await refusal(ask('thing__C'))).code).toBe('not_found');
    expect(asked(world)).toHaveLength(1);
    isThere = true;
    expect((await refusal(ask('Thing__c'))).code).toBe('not_found');
    world.clock.advance(60_000);
    expect((await ask('Thing__c')).name).toBe('Thing__c');
    expect(asked(world)).toHaveLength(2);
  });

  it('are asked anew for who cannot wait, also where there was nothing [S4]', async () => {
    let isThere = false;
    await using world = await createServedWorld((request, response) => {
      expect(request.headers['if-modified-since']).toBeUndefined();
      response.statusCode = isThere ? 200 : 404;
      response.end(isThere ? THING : '[{"message":"The requested resource does not exist","errorCode":"NOT_FOUND"}]');
    });
    const org = await world.open();
    await refusal(org.describe('Thing__c'));
    isThere = true;
    expect((await org.describe('Thing__c', { isFresh: true })).name).toBe('Thing__c');
    await org.describe('Thing__c');
    await org.describe('Thing__c', { isFresh: true });
    expect(asked(world)).toHaveLength(3);
  });

  it('fill what an older org leaves out with the careful default [B5]', async () => {
    await using world = await createServedWorld((_, response) =>
      response.end('{"fields":[{"name":"A"},{}],"name":"T"}'),
    );
    const { fields } = await (await world.open()).describe('T');
    expect(fields[0]).toMatchObject({
      name: 'A',
      label: 'A',
      createable: false,
      updateable: false,
      picklistValues: [],
    });
  });
});

/** Requests for a describe: after a 404 the versions of the org are looked at, too. */
function asked({ server }: { readonly server: { readonly seen: readonly { readonly url: string }[] } }) {
  return server.seen.filter(({ url }) => url.endsWith('/describe'));
}
