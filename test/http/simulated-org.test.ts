import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Door, openDoor, proposeMove } from '../support/door.ts';

describe('the embedded org in the browser', () => {
  let door: Door;
  beforeAll(async () => {
    door = await openDoor();
  });
  afterAll(() => door[Symbol.asyncDispose]());

  it('shows a record where its links lead, and a change there is what the bot reads next [U9]', async () => {
    const { id, recordId } = await proposeMove(door.world);
    const proposal = (await door.world.app.approvals.list({ pending: true, limit: 10 })).find((one) => one.id === id);
    const link = new URL(proposal?.preview?.target?.url ?? '');
    expect(link.pathname).toBe(`/simulated-org/${recordId}`);
    const page = await door.ask('GET', link.pathname);
    expect([page.status, page.text.includes('<h1>')]).toEqual([200, true]);
    expect(page.text).toContain('href="/simulated-org/o/Opportunity"');
    const form = { 'was.NextStep': '', NextStep: 'Call the board' };
    const saved = await door.ask('POST', link.pathname, { form });
    expect([saved.status, saved.headers.get('location')]).toEqual([303, `${link.pathname}?saved`]);
    const read = await door.world.call('GetAccount', { opportunity: recordId });
    expect(read.result).toMatchObject({ opportunity: { NextStep: 'Call the board', url: link.href } });
    for (const path of ['/simulated-org', '/simulated-org/o/Account'])
      expect((await door.ask('GET', path)).status).toBe(200);
  });

  it('is there for this machine alone, and opens neither the API nor the control [U9]', async () => {
    for (const headers of [{ 'x-forwarded-for': '203.0.113.7' }, { forwarded: 'for=203.0.113.7' }])
      expect((await door.ask('GET', '/simulated-org', { headers })).status).toBe(403);
    for (const path of ['_sim/settings', 'services/data/v66.0/limits', 'services/oauth2/token'])
      expect((await door.ask('GET', `/simulated-org/${path}`)).status).toBe(404);
    const form = { 'was.Name': '', Name: 'x' };
    const headers = { origin: 'https://evil.example' };
    expect((await door.ask('POST', '/simulated-org/o/Account/new', { form, headers })).status).toBe(403);
  });
});
