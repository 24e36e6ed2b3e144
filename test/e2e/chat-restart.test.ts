import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createSim, type Sim } from '../../src/sim/sim.ts';
import { createGatehouse, type Gatehouse } from '../support/cli.ts';

/** The built program is killed while a card is open in the chat, and started again. */

let house: Gatehouse;
let org: Sim | undefined;

beforeEach(async () => {
  house = await createGatehouse();
  await house.run(['bot', 'create', 'acme', '--profile', 'internal']);
  const policy = (await house.run(['policy', 'get', 'acme', '--json'])).json;
  policy.chat = { page: true, anonymous: true };
  await house.run(['policy', 'set', 'acme'], { input: JSON.stringify(policy) });
});
afterEach(async () => {
  await org?.close();
  await house[Symbol.asyncDispose]();
});

it('answers the open card once after kill -9 and a new start, and the talk goes on [C6] [T1]', async () => {
  const first = await house.start(['serve', '--port', '0']);
  const begun = await post(first.document.url, '', {});
  const headers = { cookie: begun.headers.get('set-cookie')?.split(';')[0] ?? '' };
  const { id } = (await begun.json()) as { id: string };
  const asked = await post(first.document.url, `/${id}/messages`, { text: 'Move OPP-456 to Closed Won' }, headers);
  const { proposal } = events(await asked.text()).find(({ type }) => type === 'proposal');
  await first.stop('SIGKILL');

  await using second = await house.start(['serve', '--port', '0']);
  const { url } = second.document;
  const stored = await (
    await fetch(`${url}/api/bots/acme/conversations/${id}`, { headers: { ...headers, 'gatehouse-chat': '1' } })
  ).json();
  expect(stored).toMatchObject({ isBusy: false, proposals: [{ id: proposal.id, state: 'pending' }] });

  // Pressed twice at once: a double click, or two windows.
  const press = () => post(url, `/${id}/proposals/${proposal.id}`, { answer: 'approve' }, headers);
  const answers = await Promise.all([press(), press()]);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  const told = events((await Promise.all(answers.map((answer) => answer.text()))).join(''));
  expect(told.find(({ type }) => type === 'receipt').receipt).toMatchObject({ status: 'done', proposal: proposal.id });

  const next = await post(url, `/${id}/messages`, { text: 'What is the status of OPP-456?' }, headers);
  const words = events(await next.text()).map(({ delta = '' }) => delta);
  expect(words.join('')).toContain('"Closed Won"');

  org = await createSim({ file: path.join(house.dataDir, 'sim.db') });
  const answer = await org.fetch(new Request('http://localhost/_sim/calls'), { loopback: true });
  const { calls } = (await answer.json()) as { calls: { method: string }[] };
  const writes = calls.filter(({ method }) => method === 'PATCH');
  expect(writes).toHaveLength(1);
});

function post(url: string, at: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${url}/api/bots/acme/conversations${at}`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { ...headers, 'content-type': 'application/json', 'gatehouse-chat': '1' },
  });
}

// biome-ignore lint/suspicious/noExplicitAny: events of many kinds
function events(text: string): any[] {
  return text
    .split('\n\n')
    .filter((block) => block.startsWith('data: '))
    .map((block) => JSON.parse(block.slice(6)));
}
