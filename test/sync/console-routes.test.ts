import { expect, it } from 'vitest';
import { describeStores } from '../support/databases.ts';
import { bodyOf, door } from './door.ts';
import { createSyncWorld } from './world.ts';

const BOT = '/api/bots/demo';

describeStores((_name, openFresh) => {
  it('shows values of people to nobody who may only read logs: list, entry, export, link and problems are masked [W5]', async () => {
    await using world = await createSyncWorld(openFresh);
    const [admin, viewer] = [door(world), door(world, 'viewer')];
    await admin('PUT', '/api/parties/p1', {
      email: 'secret.person@example.com',
      name: 'Secret Person',
      phone: '555-0199',
    });
    await world.party('p1');
    await admin('PUT', '/api/cases/c1', { title: 'Secret matter', status: 'resolved' });
    await world.case('c1').catch(() => {});
    await admin('PUT', '/api/parties/p2', { email: 'b@example.com', name: 'B C', company: "Secret's \"Firm\" & 'Co'" });
    await world.party('p2');
    const { logs } = await bodyOf(admin('GET', `${BOT}/sync/logs`));
    expect(JSON.stringify(logs)).toContain('Secret Person');
    expect(await bodyOf(admin('GET', `${BOT}/sync/logs/${logs[0].id}`))).toEqual(logs[0]);
    for (const path of [
      'sync/logs',
      `sync/logs/${logs.at(-1).id}`,
      'sync/logs?format=jsonl',
      'sync/logs?format=csv',
      'sync/links',
      'sync/links/party/p1',
      'sync/links/party/p2',
      'sync/status',
    ]) {
      const { body } = await viewer('GET', `${BOT}/${path}`);
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      expect(text, path).not.toMatch(/secret|555-0199|needs an amount/i);
      expect(text.length, path).toBeGreaterThan(20);
    }
    for (const path of ['records/party?q=secret', 'objects/Contact/find?q=secret'])
      await expect(viewer('GET', `${BOT}/${path}`)).rejects.toMatchObject({ code: 'permission_denied' });
  });

  it('writes no formula into a CSV, whatever a record says [A7]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    await ask('PUT', '/api/parties/p1', {
      email: 'a@example.com',
      name: '=HYPERLINK("http://x","y")',
      jobTitle: '@SUM(1)',
    });
    await world.party('p1');
    const { type, body } = await ask('GET', `${BOT}/sync/logs?format=csv`);
    expect(type).toBe('text/csv; charset=utf-8');
    expect(body).toContain(`"'=HYPERLINK(""http://x"",""y"")"`);
    expect(body).toContain("'@SUM(1)");
    expect(String(body).split('\r\n')[0]).toMatch(/^id,at,kind,localId,/);
  });

  it('tells at a glance what is in step, waits and needs somebody, and what was never in Salesforce [W5]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    await ask('PUT', '/api/parties/p1', { email: 'a@example.com', name: 'A B' });
    await world.party('p1');
    await ask('PUT', '/api/parties/p2', { email: 'b@example.com', name: 'B C' });
    await ask('PUT', '/api/cases/c1', { title: 'Won for nothing', status: 'resolved' });
    await world.case('c1').catch(() => {});
    const before = await world.store.mark();
    const summary = await bodyOf(ask('GET', `${BOT}/sync`));
    expect(summary).toMatchObject({
      inStep: 1,
      waits: 1,
      needsYou: 1,
      ready: [{ kind: 'party', count: 1, first: 'p2' }],
      lastGood: { id: expect.any(String), at: expect.any(String) },
      lastFailed: { id: expect.any(String), at: expect.any(String) },
    });
    expect(await world.store.mark()).toBe(before);
    await world.party('p2');
    expect(await world.store.mark()).not.toBe(before);
    expect(await bodyOf(ask('GET', `${BOT}/sync`))).toMatchObject({ inStep: 2, waits: 0, ready: [] });
  });

  it('lists and retries the records of one kind of problem, and no other [S5]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    for (const id of ['c1', 'c2']) await ask('PUT', `/api/cases/${id}`, { title: `Won ${id}`, status: 'resolved' });
    await ask('PUT', '/api/parties/p1', { email: 'x@example.com', phone: '1' });
    await world.settle();
    const { problems } = await bodyOf(ask('GET', `${BOT}/sync/status`));
    const rule = problems.find(({ code }: { code: string }) => code === 'validation_rule');
    expect(rule).toMatchObject({ count: 2, kind: expect.stringMatching(/^[0-9a-f]{16}$/) });
    const { links } = await bodyOf(ask('GET', `${BOT}/sync/links?problem=${rule.kind}`));
    expect(links.map(({ localId }: { localId: string }) => localId)).toEqual(['c1', 'c2']);
    expect(await bodyOf(ask('POST', `${BOT}/sync/retry`, { failed: true, problem: rule.kind }))).toEqual({
      retried: 2,
    });
    expect(await bodyOf(ask('POST', `${BOT}/sync/retry`, { failed: true, problem: '0'.repeat(16) }))).toEqual({
      retried: 0,
    });
  });

  it('shows one record on both sides, finds it by words, and brings it into step [W5]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    await ask('PUT', '/api/parties/p1', { email: 'ana@example.com', name: 'Ana 100%_Lim' });
    const first = await bodyOf(ask('GET', `${BOT}/sync/links/party/p1`));
    expect(first).toMatchObject({ object: 'Contact', crm: null, host: { isDeleted: false } });
    expect(await bodyOf(ask('POST', `${BOT}/sync/now`, { kind: 'party', localId: 'p1' }))).toMatchObject({
      operation: 'create',
      object: 'Contact',
      recordId: expect.stringMatching(/^003/),
    });
    const { crm, lines } = await bodyOf(ask('GET', `${BOT}/sync/links/party/p1`));
    expect(crm).toMatchObject({ id: expect.stringMatching(/^003/), url: expect.any(String) });
    expect(lines).toContainEqual(
      expect.objectContaining({
        local: ['email'],
        host: { email: 'ana@example.com' },
        crm: { Email: 'ana@example.com' },
        isSame: true,
      }),
    );
    for (const [q, count] of [
      ['100%_lim', 1],
      ['100__lim', 0],
      ['P1', 1],
      ['', 1],
    ] as const)
      expect((await bodyOf(ask('GET', `${BOT}/records/party?q=${encodeURIComponent(q)}`))).records, q).toHaveLength(
        count,
      );
    const { records } = await bodyOf(ask('GET', `${BOT}/objects/Contact/find?q=${encodeURIComponent('100%_l')}`));
    expect(records).toMatchObject([{ id: crm.id, name: 'Ana 100%_Lim' }]);
    const { fields } = await bodyOf(ask('GET', `${BOT}/objects/Contact`));
    expect(fields).toContainEqual(
      expect.objectContaining({ name: 'LastName', label: 'Last Name', isRequired: true, isOpen: true }),
    );
    expect((await bodyOf(ask('GET', `${BOT}/objects`))).objects).toEqual(
      expect.arrayContaining(['Contact', 'Opportunity']),
    );
    expect(await bodyOf(ask('GET', `${BOT}/mappings/party/versions`))).toEqual({ versions: [] });
    await expect(ask('GET', `${BOT}/sync/links/party/nobody`)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('takes a batch that comes again and quiet hours, and refuses times and zones that are none [W5]', async () => {
    await using world = await createSyncWorld(openFresh);
    const [ask, viewer] = [door(world), door(world, 'viewer')];
    const repeat = { every: 'week', on: 'monday', at: '02:30', zone: 'Europe/Berlin' };
    const batch = await bodyOf(ask('POST', `${BOT}/sync/batches`, { kind: 'party', repeat }));
    expect(batch).toMatchObject({ state: 'scheduled', repeat, missed: 0, startAt: '2026-05-11T00:30:00.000Z' });
    for (const [body, name] of [
      [{ kind: 'party', repeat: { ...repeat, zone: '+02:00' } }, 'repeat.zone'],
      [{ kind: 'party', repeat: { ...repeat, at: '24:00' } }, 'repeat.at'],
      [
        { kind: 'party', repeat: { every: 'day', at: '02:30', zone: 'UTC' }, startAt: '2027-01-01T00:00:00Z' },
        'startAt',
      ],
    ] as const)
      await expect(ask('POST', `${BOT}/sync/batches`, body)).rejects.toMatchObject({
        code: 'invalid_input',
        fields: [expect.objectContaining({ name })],
      });
    const hours = { from: '11:00', until: '13:00', zone: 'Europe/Berlin' };
    // It is 12:00 in Berlin.
    const shown = { ...hours, endsAt: '2026-05-04T11:00:00.000Z' };
    expect(await bodyOf(ask('PUT', `${BOT}/sync/quiet-hours`, hours))).toEqual(shown);
    expect(await bodyOf(ask('GET', `${BOT}/sync`))).toMatchObject({ quietHours: shown });
    await world.put('p1', { email: 'a@example.com', name: 'A B' });
    world.clock.advance(30 * 60_000);
    // What waits for their end waits for nobody.
    expect(await bodyOf(ask('GET', `${BOT}/sync/status`))).toMatchObject({
      quietHours: shown,
      waiting: 1,
      problems: [],
    });
    await expect(ask('PUT', `${BOT}/sync/quiet-hours`, { ...hours, until: '11:00' })).rejects.toMatchObject({
      code: 'invalid_input',
    });
    await expect(viewer('DELETE', `${BOT}/sync/quiet-hours`)).rejects.toMatchObject({ code: 'permission_denied' });
    await ask('DELETE', `${BOT}/sync/quiet-hours`);
    expect(await bodyOf(ask('GET', `${BOT}/sync/status`))).not.toHaveProperty('quietHours');
  });
});
