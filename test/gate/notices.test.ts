import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { serveRoutes } from '../../src/http/server.ts';
import { serve } from '../salesforce/org-world.ts';
import { createWorld, type World } from '../support/world.ts';

const HOUR_MS = 3_600_000;

/** A receiver of the bot's webhook, which answers what it is told to. */
async function listening(world: World, answers: () => number = () => 204) {
  const receiver = await serve((_, response) => response.writeHead(answers()).end());
  const { routes } = await world.app.sync();
  const key = await world.app.access.createOperator('ada', 'admin');
  const asked = new Request(`http://localhost/api/bots/${world.bot}/sync/webhook`, {
    method: 'PUT',
    headers: { host: 'localhost', authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ url: `${receiver.url}/hook` }),
  });
  const answer = await serveRoutes(world.app, routes).fetch(asked, { remoteAddress: '127.0.0.1' });
  const { secret } = JSON.parse(await answer.text()) as { secret: string }; // of this very route
  const told = () => receiver.seen.map((request) => ({ ...JSON.parse(request.body), request }));
  const all = async (count: number) => {
    await expect.poll(() => receiver.seen.length, { timeout: 10_000 }).toBe(count);
    return told();
  };
  return { all, secret, [Symbol.asyncDispose]: () => receiver[Symbol.asyncDispose]() };
}

it('tells the webhook when a proposal starts to wait, signed, and without any value [U4]', async () => {
  await using world = await createWorld();
  await using hook = await listening(world);
  const { id, link, expiresAt } = (await world.call('UpdateOpportunity', { reference: 'OPP-123', nextStep: 'Sign it' }))
    .proposal!;
  const [notice] = await hook.all(1);
  expect(notice).toMatchObject({
    type: 'proposal.waiting',
    data: { id, link, expiresAt, action: 'UpdateOpportunity', count: 1 },
  });
  const { body, headers } = notice.request;
  expect(body).not.toMatch(/Sign it|OPP-123/);
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const key = Buffer.from(hook.secret.replace('whsec_', ''), 'base64');
  expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
  // The same wish again is nothing new; one that is done by itself waits for nobody.
  await world.call('UpdateOpportunity', { reference: 'OPP-123', nextStep: 'Sign it' });
  await world.call('CreateLead', { lastName: 'Doe', company: 'Doe Ltd' });
  await world.call('UpdateOpportunity', { reference: 'OPP-124', nextStep: 'Sign it' });
  expect((await hook.all(2)).map(({ data }) => data.count)).toEqual([1, 1]);
});

it("tells of visitors' requests at once, then once an hour with their number, and of what nobody decided [U1 U4]", async () => {
  await using world = await createWorld({
    audience: 'public',
    grants: ['CREATE_LEAD'],
    policy: (p) => ({ ...p, actions: { ...p.actions, CreateLead: { ...p.actions.CreateLead!, decision: 'confirm' } } }),
  });
  await using hook = await listening(world);
  const lead = (n: number) => world.call('CreateLead', { lastName: `Visitor ${n}`, company: 'Acme' });
  for (const n of [1, 2, 3, 4]) await lead(n);
  await world.app.retention.recover();
  expect((await hook.all(1))[0]).toMatchObject({ type: 'proposal.waiting', data: { count: 1 } });
  world.clock.advance(HOUR_MS);
  await world.app.retention.recover();
  await world.app.retention.recover();
  expect((await hook.all(2))[1]).toMatchObject({ type: 'proposal.waiting', data: { count: 4 } });
  await world.app.connections.disconnect(world.bot);
  world.clock.advance(HOUR_MS);
  await lead(5);
  expect((await hook.all(3))[2]).toMatchObject({ type: 'proposal.waiting', data: { count: 5 } });
  world.clock.advance(8 * 24 * HOUR_MS);
  await world.app.retention.recover();
  expect((await hook.all(4))[3]).toMatchObject({ type: 'proposal.undecided', data: { count: 1 } });
  world.clock.advance(HOUR_MS);
  await world.app.retention.recover();
  const last = (await hook.all(5))[4];
  expect(last).toMatchObject({
    type: 'proposal.undecided',
    data: { count: 5, link: expect.stringContaining('/approvals/') },
  });
  expect(last.request.body).not.toMatch(/Visitor|Acme/);
});

it('is told within the hour again although a clock that was a year ahead told last [U4] [X3]', async () => {
  await using world = await createWorld({
    audience: 'public',
    grants: ['CREATE_LEAD'],
    policy: (p) => ({ ...p, actions: { ...p.actions, CreateLead: { ...p.actions.CreateLead!, decision: 'confirm' } } }),
  });
  await using hook = await listening(world);
  const year = 365 * 24 * HOUR_MS;
  await world.app.store.values.set('notice_told', `${world.bot}/waiting`, 'somebody', world.clock.now + year);
  await world.call('CreateLead', { lastName: 'Visitor', company: 'Acme' });
  await world.app.retention.recover();
  world.clock.advance(HOUR_MS);
  await world.app.retention.recover();
  expect((await hook.all(1))[0]).toMatchObject({ type: 'proposal.waiting', data: { count: 1 } });
});

it('holds nobody up where the webhook fails: it is told later [U4]', async () => {
  await using world = await createWorld();
  let status = 500;
  await using hook = await listening(world, () => status);
  const wish = (reference: string) => world.call('UpdateOpportunity', { reference, nextStep: 'Sign' });
  expect((await wish('OPP-123')).status).toBe('waiting');
  await hook.all(1);
  status = 204;
  world.clock.advance(HOUR_MS);
  await wish('OPP-124');
  const ids = (await hook.all(3)).map(({ data }) => data.id);
  expect(ids[1]).toBe(ids[0]);
  expect(ids[2]).not.toBe(ids[0]);
});
