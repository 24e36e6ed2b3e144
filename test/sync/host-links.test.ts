import { expect, it } from 'vitest';
import { describeStores } from '../support/databases.ts';
import { bodyOf, deedsOf, door } from './door.ts';
import { createSyncWorld } from './world.ts';

const V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describeStores((_name, openFresh) => {
  it('tells the host app which record is linked and how that stands, and lets it link and unlink for a user [V4 K3]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    const path = '/api/parties/p1/salesforce';
    await expect(ask('GET', path)).rejects.toMatchObject({ code: 'not_found' });
    const [first, second] = [
      await world.add({ LastName: 'Twin', Email: 'twin@example.com' }),
      await world.add({ LastName: 'Twin', Email: 'twin@example.com' }),
    ];
    await ask('PUT', '/api/parties/p1', { email: 'twin@example.com', name: 'Twin' });
    expect(await bodyOf(ask('GET', path))).toMatchObject({
      state: 'new',
      recordId: null,
      isWaiting: true,
      problem: null,
    });
    await world.settle();
    const ambiguous = await bodyOf(ask('GET', path));
    expect(ambiguous).toMatchObject({ state: 'ambiguous', object: 'Contact', problem: { next: expect.any(String) } });
    expect(ambiguous.candidates.map((one: { id: string }) => one.id).sort()).toEqual([first, second].sort());
    expect(ambiguous.candidates[0].url).toMatch(/^http.*003/);
    expect(ambiguous.candidates[0].name).toBe('Twin');
    const open = (denyFields: string[]) =>
      world.setPolicy((policy) => ({
        ...policy,
        objects: { ...policy.objects, Contact: { ...policy.objects.Contact!, denyFields } },
      }));
    await open(['LastName']);
    expect(JSON.stringify((await bodyOf(ask('GET', path))).candidates)).not.toContain('Twin');
    await open([]);
    for (const body of [
      { recordId: first },
      { recordId: first, user: '' },
      { recordId: 'short', user: 'u' },
      { recordId: first, user: 'a\nb' },
    ])
      await expect(ask('PUT', path, body)).rejects.toMatchObject({ code: 'invalid_input' });
    const linked = await bodyOf(ask('PUT', path, { recordId: first, user: 'jo@host.example' }));
    expect(linked).toMatchObject({
      state: 'active',
      recordId: first,
      url: expect.stringContaining(String(first)),
      problem: null,
    });
    await world.settle();
    expect((await bodyOf(ask('GET', path))).lastSyncAt).toMatch(/Z$/);
    // Somebody else's record is not taken.
    await ask('PUT', '/api/parties/p2', { name: 'Other' });
    await expect(ask('PUT', '/api/parties/p2/salesforce', { recordId: first, user: 'u' })).rejects.toMatchObject({
      code: 'conflict',
    });
    await expect(ask('DELETE', path)).rejects.toMatchObject({ code: 'invalid_input' });
    expect(await bodyOf(ask('DELETE', `${path}?user=jo`))).toMatchObject({
      state: 'unlinked',
      recordId: null,
    });
    const deeds = await deedsOf(world);
    expect(deeds.map(({ event, principal, recordId, detail }) => [event, principal, recordId, detail.user])).toEqual([
      ['linked', expect.stringMatching(/^host:/), first, 'jo@host.example'],
      ['unlinked', deeds[0]?.principal, first, 'jo'],
    ]);
    const reason = `linked by hand by ${deeds[0]?.principal} for "jo@host.example"`;
    expect((await world.log('p1')).map((row) => row.reason)).toContain(reason);
    await world.setPolicy((policy) => ({ ...policy, host: { links: false } }));
    await expect(ask('GET', path)).rejects.toMatchObject({ code: 'off' });
    await expect(ask('PUT', path, { recordId: first, user: 'u' })).rejects.toMatchObject({ code: 'off' });
    await expect(ask('DELETE', `${path}?user=u`)).rejects.toMatchObject({ code: 'off' });
  });

  it('lets the host key sync a case and read its log, by time, with ids that are UUIDs [U12] [U13] [V15]', async () => {
    await using world = await createSyncWorld(openFresh);
    const ask = door(world);
    await ask('PUT', '/api/cases/c1', { title: 'Crane', status: 'open', expectedDate: '2026-06-30' });
    // A person of the same id has a log of their own.
    await ask('PUT', '/api/parties/c1', { name: 'Namesake' });
    const connectorId = (await world.connections.status('demo')).id;
    const old = (await world.fresh.store.connections.get('demo'))?.id;
    const sync = '/api/crm/salesforce/sync';
    const synced = await bodyOf(ask('POST', sync, { caseId: 'c1', connectorId }));
    expect(synced).toMatchObject({ operation: 'create', object: 'Opportunity' });
    expect(await bodyOf(ask('POST', sync, { caseId: 'c1', connectorId: old }))).toMatchObject({ operation: 'none' });
    for (const body of [{}, { caseId: 'c1', customerId: 'c1' }])
      await expect(ask('POST', sync, body)).rejects.toMatchObject({ code: 'invalid_input' });
    await ask('POST', sync, { customerId: 'c1' });
    const logs = async (query: string) => (await bodyOf(ask('GET', `/api/crm/sync-logs?${query}`))).logs;
    const [row, ...others] = await logs('caseId=c1');
    expect(others).toEqual([]);
    expect(row).toMatchObject({ id: expect.stringMatching(V7), crmRecordId: synced.crmRecordId });
    expect(await logs('customerId=c1')).toHaveLength(1);
    await expect(logs('customerId=c1&caseId=c1')).rejects.toMatchObject({ code: 'invalid_input' });
    world.clock.advance(86_400_000);
    expect(await logs('since=1h')).toEqual([]);
    expect(await logs('since=2d')).toHaveLength(2);
    expect(await logs('since=2026-05-04&until=2026-05-05')).toHaveLength(2);
    expect(await logs('until=2026-05-04')).toEqual([]);
    // Old ids still lead on.
    const all = await bodyOf(ask('GET', '/api/bots/demo/sync/logs?limit=1'));
    const [stored] = await world.store.log.find('demo', { limit: 1 });
    expect(all.next).toMatch(V7);
    for (const before of [all.next, stored?.id])
      expect((await bodyOf(ask('GET', `/api/bots/demo/sync/logs?before=${before}`))).logs).toHaveLength(1);
  });
});
