import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import type { App } from '../../app/app.ts';
import { GatehouseError } from '../../domain/errors.ts';
import type { Sim } from '../../sim/sim.ts';
import { DEMO_BOT } from '../bots.ts';
import { askAsOperator } from './operator.ts';
import type { Stage } from './stage.ts';

/** Far longer than it takes: a machine may be busy. */
const PATIENCE_MS = 30_000;

/** A colleague's edit reaches the host app's webhook by the event stream, while polls are minutes apart. */
export async function aColleague(stage: Stage, app: App, sim: Sim, dealId: string): Promise<void> {
  stage.scene('A colleague changes the deal in Salesforce');
  stage.note('Opportunities are selected for Change Data Capture, and the host app is told of them at its webhook.');
  await control(sim, 'settings', { changeDataCapture: ['Opportunity'] });
  const { subscriptions, worker, status } = await app.sync();
  const org = await app.connections.open(DEMO_BOT, { signal: AbortSignal.timeout(60_000) });
  await subscriptions.set(DEMO_BOT, org, 'Opportunity', { fields: ['Name', 'NextStep'] });
  await using host = await openHost();
  await askAsOperator(app, 'PUT', `/api/bots/${DEMO_BOT}/sync/webhook`, { url: host.url });
  worker.start();
  try {
    await until('Salesforce is not heard', async () => {
      const { streams = [], pollMs = 0 } = (await status(DEMO_BOT)) ?? {};
      // The poll that begins with the stream is over: what comes from now on can only be told.
      return pollMs > 0 && streams.some(({ object, state }) => object === 'Opportunity' && state === 'live');
    });
    const changedAt = performance.now();
    await control(sim, 'records/Opportunity', { Id: dealId, NextStep: 'Kick-off on Monday' });
    const isTold = (body: string) => body.includes('Kick-off on Monday');
    await until('The webhook is silent', () => host.bodies.some(isTold));
    const { data } = JSON.parse(host.bodies.find(isTold) ?? '{}');
    stage.note(`The host app: ${JSON.stringify(data.changes)}`);
    stage.check('the host app was told, and which field', data.changed?.join() === 'NextStep');
    stage.note(
      `${Math.round(performance.now() - changedAt)} ms after the change, by an event: the next poll is minutes away.`,
    );
  } finally {
    await worker.stop();
  }
}

/** The webhook of a host app. */
async function openHost() {
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    bodies.push(await text(request));
    response.writeHead(204).end();
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    bodies,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/changes`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

async function control(sim: Sim, route: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const asked = new Request(`http://sim.localhost/_sim/${route}`, {
    ...{ method: 'POST', headers, body: JSON.stringify(body) },
  });
  await sim.fetch(asked, { loopback: true });
}

async function until(otherwise: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const began = performance.now(); !(await holds()); await pause(20))
    if (performance.now() - began > PATIENCE_MS)
      throw new GatehouseError('internal', `${otherwise}.`, { next: 'Run it again; if it stays, report it.' });
}
