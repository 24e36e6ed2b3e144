import { describe, expect, it } from 'vitest';
import { createServedWorld, refusal } from './org-world.ts';

/** Salesforce cuts a result where it likes; what was asked for is what is answered. */
const TOTAL = 2086;
const id = (n: number) => `001${String(n).padStart(12, '0')}`;
const page = (from: number, to: number) => ({
  totalSize: TOTAL,
  done: to >= TOTAL,
  ...(to >= TOTAL ? {} : { nextRecordsUrl: `/services/data/v60.0/query/01g000000000001-${to}` }),
  records: Array.from({ length: Math.min(to, TOTAL) - from }, (_, n) => ({
    attributes: { type: 'Account' },
    Id: id(from + n),
  })),
});

const server = () =>
  createServedWorld((request, response) => {
    const from = Number(/-(\d+)$/.exec(request.url ?? '')?.[1] ?? 0);
    response.setHeader('content-type', 'application/json');
    const answer = page(from, from + 1000);
    const isBatch = request.method === 'POST';
    const parts = isBatch
      ? (JSON.parse(request.body) as { compositeRequest: { referenceId: string }[] }).compositeRequest
      : [];
    response.end(
      JSON.stringify(
        isBatch
          ? {
              compositeResponse: parts.map(({ referenceId }) => ({
                body: answer,
                httpHeaders: {},
                httpStatusCode: 200,
                referenceId,
              })),
            }
          : answer,
      ),
    );
  });

describe('a find that Salesforce answers in pages', () => {
  it.each([
    [2000, 2000, 2],
    [1500, 1500, 2],
    [1000, 1000, 1],
    [5000, TOTAL, 3],
  ])('of at most %i brings %i rows in %i requests [H6]', async (limit, rows, requests) => {
    await using world = await server();
    const org = await world.open();
    const found = await org.find('Account', { fields: ['Name'], where: [], limit });
    expect(found).toHaveLength(rows);
    expect(new Set(found.map((record) => record.Id)).size).toBe(rows);
    expect(world.server.seen).toHaveLength(requests);
  });

  it('is followed among several as well [H6]', async () => {
    await using world = await server();
    const org = await world.open();
    const find = { fields: ['Name'], where: [], limit: 2000 };
    const [first, second] = await org.findAll([
      { object: 'Account', find },
      { object: 'Account', find: { ...find, limit: 3 } },
    ]);
    expect(first).toHaveLength(2000);
    expect(second).toHaveLength(3);
  });
});

describe('a field that Salesforce does not know', () => {
  it.each([
    ["No such column 'Reference__c' on entity 'Opportunity'.", 'Opportunity'],
    ["No such column 'X' on sobject of type Opportunity", 'Opportunity'],
    ['No such column', 'Opportunity'],
  ])('lets one describe be asked for anew, not every one: %s [H3]', async (message, object) => {
    await using world = await createServedWorld((request, response) => {
      response.setHeader('content-type', 'application/json');
      if (request.url?.includes('/query')) {
        response.statusCode = 400;
        response.end(JSON.stringify([{ message, errorCode: 'INVALID_FIELD' }]));
      } else response.end(JSON.stringify({ name: request.url?.split('/').at(-2), fields: [], childRelationships: [] }));
    });
    const org = await world.open();
    for (const name of ['Account', 'Opportunity', 'Contact']) await org.describe(name);
    await refusal(org.find(object, { fields: ['Reference__c'], where: [], limit: 1 }));
    world.server.seen.length = 0;
    for (const name of ['Account', 'Opportunity', 'Contact']) await org.describe(name);
    expect(world.server.seen.map(({ url }) => url.split('/').at(-2))).toEqual([object]);
  });
});
