import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Door, openDoor } from '../support/door.ts';

/** Every value of a record in this company holds one word. No route may say it to an operator without READ_VALUES. */

const WORD = /zz-?marker|7654321/i;
const PERSON = { LastName: 'Zzmarker', FirstName: 'Zzmarker', Email: 'zzmarker@x.example', Phone: 'zzmarker 1' };
const UNMASKED_FOR_WHOEVER_DECIDES = [
  'GET /api/proposals',
  'GET /api/proposals/{id}',
  'GET /api/proposals/{id}/records',
];

describe('values of people, asked for by operators without READ_VALUES', () => {
  let door: Door;
  let made: Awaited<ReturnType<typeof company>>;
  beforeAll(async () => {
    door = await openDoor({}, async ({ app }) => ({
      routes: (await app.sync()).routes,
      context: app.gate.accountContext,
    }));
    made = await company(door);
  }, 60_000);
  afterAll(() => door[Symbol.asyncDispose]());

  it('a company was made in which every kind of answer holds the word: an admin reads it [C7]', async () => {
    const admin = await door.operatorKey('admin');
    for (const id of made.proposals) {
      const { text } = await door.ask('GET', `/api/proposals/${id}`, { key: admin });
      expect([id, text]).toEqual([id, expect.stringMatching(WORD)]);
    }
    expect((await door.ask('GET', `/api/proposals/${made.list}/records`, { key: admin })).text).toMatch(WORD);
  });

  it.each(['viewer', 'approver'] as const)('no route tells a %s any [C7] [W6]', async (role) => {
    const key = await door.operatorKey(role);
    const told: string[] = [];
    let asked = 0;
    for (const { name, path } of await addresses(door, made)) {
      const answer = await door.ask('GET', path, { key });
      if (answer.status === 200) asked += 1;
      const isDeciding = role === 'approver' && UNMASKED_FOR_WHOEVER_DECIDES.includes(name);
      const isWaiting = made.waiting.some((id) => path.includes(id)) || name === 'GET /api/proposals';
      if (WORD.test(answer.text) && !(isDeciding && isWaiting)) told.push(`${path}: ${around(answer.text)}`);
    }
    expect(asked).toBeGreaterThan(60);
    expect(told).toEqual([]);
    const search = await door.ask('POST', '/api/search', { key, json: { q: 'zzmarker' } });
    expect(search.text).not.toMatch(WORD);
  });

  it.each(['viewer', 'approver'] as const)(
    'nor does the page of what has ended tell a %s [C7]',
    async (role: string) => {
      const as = await door.signIn(role);
      for (const id of [...made.proposals, made.list]) {
        if (role === 'approver' && made.waiting.includes(id)) continue;
        const { status, text } = await door.ask('GET', `/approvals/${id}`, { as });
        expect([id, status, WORD.test(text) ? around(text) : '']).toEqual([id, 200, '']);
      }
    },
  );

  it('a waiting one shows whoever decides it what is decided, and its end nothing of what came of it [C7] [P5]', async () => {
    const { world } = door;
    const key = await door.operatorKey('approver');
    const asked = await world.call('RunSOQL', {
      soql: "SELECT Email, Phone FROM Contact WHERE LastName = 'Zzmarker' LIMIT 3",
    });
    const id = asked.proposal?.id ?? '';
    expect((await door.ask('GET', `/api/proposals/${id}`, { key })).text).toMatch(WORD);
    const approved = await door.ask('POST', `/api/proposals/${id}/approve`, { key, json: {} });
    expect(approved).toMatchObject({ status: 200, json: { status: 'done' } });
    expect(approved.text).not.toMatch(WORD);
  });

  it('an admin reads what was read as policy lets it be seen now, and each look is a row of the log [C7] [P5]', async () => {
    const { world } = door;
    const admin = await door.operatorKey('admin');
    const look = () => door.ask('GET', `/api/proposals/${made.read}`, { key: admin });
    const looks = async () =>
      (await world.app.store.audit.find({ proposal: made.read, event: 'values_read', limit: 100 })).length;
    const before = await looks();
    expect((await look()).text).toMatch(WORD);
    expect(await looks()).toBe(before + 1);
    await world.setPolicy((policy) => ({
      ...policy,
      objects: { ...policy.objects, Contact: { ...policy.objects.Contact!, denyFields: ['Email', 'Phone'] } },
    }));
    const { json, status } = await look();
    expect([status, JSON.stringify(json.result)]).toEqual([200, expect.not.stringMatching(WORD)]);
    expect(json.result.note).toEqual(expect.any(String));
  });
});

const around = (text: string) => text.slice(Math.max(0, text.search(WORD) - 120), text.search(WORD) + 40);

async function company(door: Door) {
  const { world } = door;
  const ids: string[] = [];
  for (const more of [{}, { Email: 'zzmarker2@x.example' }])
    await world.sim('POST', 'records/Contact', { ...PERSON, ...more });
  const [opportunity] = (await world.records('Opportunity')).filter(({ IsClosed }) => IsClosed !== true);
  await world.sim('POST', 'records/Opportunity', {
    Id: opportunity?.Id,
    Name: 'Zzmarker deal',
    NextStep: 'zzmarker',
    Amount: 7654321,
  });
  await world.setPolicy((policy) => ({
    ...policy,
    actions: {
      ...policy.actions,
      RunSOQL: { ...policy.actions.RunSOQL!, decision: 'confirm' },
      GetAccount: { ...policy.actions.GetAccount!, decision: 'confirm' },
    },
  }));
  const ask = async (action: string, args: object) => {
    const { proposal } = await world.call(action, args);
    if (proposal === undefined) throw new Error(`${action} ran by itself`);
    ids.push(proposal.id);
    return proposal.id;
  };
  const soql = (more: string) =>
    ask('RunSOQL', { soql: `SELECT Email, Phone FROM Contact WHERE LastName = 'Zzmarker' LIMIT ${more}` });
  const read = await soql('5');
  await world.approve(read);
  const declined = await soql('6');
  await world.app.approvals.decide(declined, {
    answer: 'reject',
    by: 'operator:ada',
    via: 'console',
    assurance: 'session',
  });
  const done = await ask('UpdateOpportunity', { id: opportunity?.Id, nextStep: 'zzmarker next' });
  await world.approve(done);
  const overtaken = await ask('UpdateOpportunity', { id: opportunity?.Id, nextStep: 'zzmarker last' });
  await world.sim('POST', 'records/Opportunity', { Id: opportunity?.Id, NextStep: 'zzmarker else' });
  await world.approve(overtaken).catch(() => {});
  const waiting = [
    await soql('7'),
    await ask('GetAccount', { name: 'Zzmarker Ltd' }),
    await ask('UpdateOpportunity', { id: opportunity?.Id, nextStep: 'zzmarker again' }),
    await ask('CreateLead', { lastName: 'Zzmarker', company: 'Zzmarker Ltd', email: PERSON.Email }),
  ];
  // Sync: a list that waits, its log, and what stands in both systems.
  const host = (path: string, json: object) => door.ask('PUT', path, { key: door.keys.host, json });
  await host('/api/parties/p1', { name: 'Zz Marker Zzmarker', email: 'zzmarker3@x.example', phone: 'zzmarker 2' });
  const sync = await world.app.sync();
  await sync.worker.turn('demo');
  await world.setPolicy((policy) => ({ ...policy, mode: 'ask' }));
  await host('/api/parties/p2', { name: 'Zz Marker Zzmarker', email: 'zzmarker4@x.example', phone: 'zzmarker 3' });
  await host('/api/cases/c1', { title: 'zzmarker case', parties: [{ externalId: 'p1', role: 'other' }] });
  world.clock.advance(120_000);
  await sync.worker.turn('demo');
  const list =
    (await world.app.approvals.list({ pending: true })).find(({ action }) => action === 'SyncHeld')?.id ?? '';
  return { proposals: ids, waiting: [...waiting, list], read, list, recordId: String(opportunity?.Id) };
}

/** Every GET of the API, at every address that the company makes sense of. */
async function addresses(
  door: Door,
  made: { readonly proposals: readonly string[]; readonly list: string; readonly recordId: string },
) {
  const { paths } = (await door.ask('GET', '/api/openapi.json')).json as {
    paths: Record<string, Record<string, unknown>>;
  };
  const rows = (await door.world.app.store.audit.find({ limit: 500 })).map(({ seq }) => String(seq));
  const filled: Record<string, readonly string[]> = {
    bot: ['demo'],
    id: [...made.proposals, made.list, 'p1', 'p2', 'c1', '1', '2', '3'],
    seq: rows,
    action: ['RunSOQL'],
    object: ['Contact', 'Opportunity'],
    kind: ['party', 'case'],
    localId: ['p1', 'p2', 'c1'],
    revision: ['1'],
    name: ['admin-1'],
    proposal: made.proposals,
  };
  const queries: Record<string, readonly string[]> = {
    '/api/proposals': ['?state=all', '?state=decided', '?state=waiting'],
    '/api/audit': ['?limit=200', '?format=csv', '?format=jsonl'],
  };
  const fill = (path: string): readonly string[] => {
    const name = /\{(\w+)\}/.exec(path)?.[1];
    if (name === undefined) return [path];
    const values = filled[name];
    if (values === undefined) throw new Error(`what fills {${name}} of ${path}?`);
    return values.flatMap((value) => fill(path.replace(`{${name}}`, value)));
  };
  return Object.entries(paths).flatMap(([path, methods]) =>
    'get' in methods && path !== '/api/events'
      ? fill(path).flatMap((at) =>
          ['', ...(queries[path] ?? [])].map((query) => ({ name: `GET ${path}`, path: `${at}${query}` })),
        )
      : [],
  );
}
