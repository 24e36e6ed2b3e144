import { describe, expect, it } from 'vitest';
import { describeStores } from '../support/databases.ts';
import { isStock } from '../support/stock-org.ts';
import { createSyncWorld, pair } from './world.ts';

describeStores((_name, openFresh) => {
  describe('one party and its contact', () => {
    it('creates the contact, links it, and then has nothing to do [S1] [S2] [sync-P6]', async () => {
      await using world = await createSyncWorld(openFresh);
      await world.put('p1', {
        email: 'ada@example.com',
        name: 'Ada Lovelace',
        phone: '+44 20 7946 0000',
        jobTitle: 'Analyst',
        timezone: 'Europe/London',
      });
      const outcome = await world.party('p1');
      expect(outcome).toMatchObject({ operation: 'create', direction: 'to_crm', object: 'Contact' });
      const [record] = await world.records();
      expect(record).toMatchObject({
        Id: outcome.id,
        Email: 'ada@example.com',
        FirstName: 'Ada',
        LastName: 'Lovelace',
        ...(isStock ? {} : { TimeZone__c: 'Europe/London', Gatehouse_Id__c: 'demo:party:p1' }),
      });
      expect(await world.party('p1')).toMatchObject({ operation: 'none', direction: 'none', id: outcome.id });
      expect((await world.log('p1')).map((row) => [row.operation, row.direction, row.status])).toEqual([
        ['create', 'to_crm', 'success'],
      ]);
    });

    it('links a contact that is there by email, in any case, and takes over what it knows [S1]', async () => {
      await using world = await createSyncWorld(openFresh);
      const id = await world.add({
        LastName: 'Lovelace',
        FirstName: 'Ada',
        Email: 'ADA@example.com',
        Title: 'Countess',
      });
      await world.put('p1', { email: 'ada@example.com', name: 'Ada Lovelace', phone: '123' });
      expect(await world.party('p1')).toMatchObject({ operation: 'update', direction: 'both', id });
      expect(await world.records()).toHaveLength(1);
      const [record] = await world.records();
      expect(record).toMatchObject({ Phone: '123', Title: 'Countess' });
      expect((await world.host('p1')).fields.jobTitle).toBe('Countess');
    });

    it('keeps edits of different fields on both sides, whatever came first [sync-P3]', async () => {
      await using world = await createSyncWorld(openFresh);
      await world.put('p1', { email: 'ada@example.com', name: 'Ada Lovelace', phone: '1', jobTitle: 'A' });
      const { id } = await world.party('p1');
      world.clock.advance(60_000);
      await world.put('p1', { phone: '2' });
      world.clock.advance(1_000);
      await world.edit(id, { Title: 'B' });
      world.clock.advance(10_000);
      expect(await world.party('p1')).toMatchObject({ direction: 'both' });
      const { host, salesforce } = pair(await world.host('p1'), (await world.records())[0]);
      expect(host).toEqual(salesforce);
      expect(host).toMatchObject({ phone: '2', jobTitle: 'B' });
    });

    it('lets the later edit of one field win and keeps the loser in the log, to be restored [sync-P4] [S2]', async () => {
      await using world = await createSyncWorld(openFresh);
      await world.put('p1', { email: 'ada@example.com', name: 'Ada Lovelace', phone: '1', jobTitle: 'A' });
      const { id } = await world.party('p1');
      world.clock.advance(60_000);
      await world.put('p1', { jobTitle: 'host, early', phone: 'host, early' });
      world.clock.advance(5_000);
      await world.edit(id, { Title: 'salesforce, later' });
      world.clock.advance(5_000);
      await world.put('p1', { phone: 'host, latest' });
      await world.edit(id, { Phone: 'salesforce, earlier' }, 'Contact', world.clock.now - 7_000);
      world.clock.advance(10_000);
      await world.settle();
      const { host, salesforce } = pair(await world.host('p1'), (await world.records())[0]);
      expect(host).toEqual(salesforce);
      expect(host).toMatchObject({ jobTitle: 'salesforce, later', phone: 'host, latest' });
      const conflicts = (await world.log('p1')).flatMap((row) => row.changes.filter((change) => change.winner));
      expect(conflicts).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ field: 'Title', winner: 'salesforce', lost: 'host, early' }),
          expect.objectContaining({ field: 'Phone', winner: 'host', lost: 'salesforce, earlier' }),
        ]),
      );
      const row = (await world.log('p1')).find((one) => one.changes.some((change) => change.lost === 'host, early'));
      world.clock.advance(10_000);
      await world.sync.manualLinks.restore('demo', row?.id ?? '', 'operator:ada');
      await world.settle();
      expect((await world.records())[0]?.Title).toBe('host, early');
    });
  });
});
