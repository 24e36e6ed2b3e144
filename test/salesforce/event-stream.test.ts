import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import faye from 'faye';
import { describe, expect, it } from 'vitest';
import type { Channel, EventSink, From, RawEvent, StreamFailure } from '../../src/ports/events.ts';
import type { Connections } from '../../src/ports/salesforce.ts';
import { until } from '../support/servers.ts';
import { createServedWorld, createSimWorld, refusal } from './org-world.ts';

const CHANNEL = '/data/ContactChangeEvent';

/** As it came. */
interface Told {
  readonly payload: { readonly Name?: { readonly LastName: string } };
  readonly event: { readonly replayId: number };
}

const lastId = (events: readonly RawEvent[]): number | undefined =>
  (events.at(-1)?.data as Told | undefined)?.event.replayId;

// jsforce says no more of faye than it uses.
const { NodeAdapter } = faye as unknown as {
  NodeAdapter: new (
    options: object,
  ) => {
    attach(server: Server): void;
    getClient(): { publish(channel: string, data: object): Promise<void> };
  };
};

/** Somebody who listens, and can be asked what was heard. */
async function listen(
  { connections }: { readonly connections: Connections },
  {
    from = 'new' as From,
    channels = [CHANNEL],
    take,
    refused,
  }: { from?: From; channels?: readonly string[]; take?: EventSink['take']; refused?: EventSink['refused'] } = {},
) {
  const heard: RawEvent[] = [];
  const opened: string[] = [];
  const failures: StreamFailure[] = [];
  const stop = new AbortController();
  const sink: EventSink = {
    opened: async (channel) => void opened.push(channel),
    async take(events) {
      await take?.(events);
      heard.push(...events);
    },
    async refused(channel, why) {
      failures.push(why);
      return refused?.(channel, why) ?? 'drop';
    },
  };
  const source = await connections.events('demo');
  const wanted: Channel[] = channels.map((name) => ({ name, from }));
  const ended = source.run(wanted, sink, stop.signal);
  ended.catch(() => {});
  return {
    heard,
    opened,
    failures,
    ended,
    names: () => heard.map(({ data }) => (data as Told).payload.Name?.LastName),
    async stop() {
      stop.abort();
      return ended;
    },
  };
}

async function createListening(settings: object = {}) {
  const world = await createSimWorld();
  await world.control('POST', 'settings', { changeDataCapture: ['Contact'], cometdHoldMs: 5_000, ...settings });
  let made = 0;
  return {
    ...world,
    add: async (LastName = `L${++made}`) => void (await world.control('POST', 'records/Contact', { LastName })),
    bus: () => world.control('GET', 'events'),
    act: (verb: string, more: object = {}) => world.control('POST', 'events', { do: verb, ...more }),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

describe('the event stream', () => {
  it('hears what happens, and what happened after an id', async () => {
    await using world = await createListening();
    const ears = await listen(world);
    await until(() => ears.opened.length === 1);
    await world.add('One');
    await until(() => ears.heard.length === 1);
    await ears.stop();
    await world.add('Two');
    const id = String(lastId(ears.heard));
    const again = await listen(world, { from: { after: id } });
    await until(() => again.heard.length === 1);
    expect([ears.names(), again.names()]).toEqual([['One'], ['Two']]);
    expect(await again.stop()).toEqual({ why: 'stopped', quote: '' });
  });

  it('asks for no more before what came is durable', async () => {
    await using world = await createListening();
    let store = () => {};
    const stored = new Promise<void>((resolve) => {
      store = resolve;
    });
    const ears = await listen(world, { take: () => stored });
    await until(() => ears.opened.length === 1);
    await world.add();
    await until(async () => (await world.bus()).delivered === 1);
    await world.add();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await world.bus()).delivered).toBe(1);
    store();
    await until(() => ears.heard.length === 2);
    await ears.stop();
  });

  it('ends when what came cannot be made durable, and is told the same again', async () => {
    await using world = await createListening();
    const ears = await listen(world, { take: () => Promise.reject(new Error('the disk is full')) });
    await until(() => ears.opened.length === 1);
    const { lastReplayId } = await world.bus();
    await world.add('Kept');
    await expect(ears.ended).rejects.toThrow('the disk is full');
    const again = await listen(world, { from: { after: String(lastReplayId) } });
    await until(() => again.heard.length === 1);
    expect(again.names()).toEqual(['Kept']);
    await again.stop();
  });

  it('leaves no client behind, neither when it stops nor when it begins anew', async () => {
    await using world = await createListening();
    const ears = await listen(world);
    await until(() => ears.opened.length === 1);
    await world.control('POST', 'expire');
    await until(() => ears.opened.length === 2);
    await until(async () => (await world.bus()).clients.length === 1);
    await ears.stop();
    await until(async () => (await world.bus()).clients.length === 0);
  });

  it.each([
    [
      'a client that the org forgot',
      (world: Awaited<ReturnType<typeof createListening>>) => world.act('forgetClients'),
    ],
    [
      'a server that sends everybody away',
      (world: Awaited<ReturnType<typeof createListening>>) => world.act('disconnect'),
    ],
    ['a session that ended', (world: Awaited<ReturnType<typeof createListening>>) => world.control('POST', 'expire')],
    ['a busy server', (world: Awaited<ReturnType<typeof createListening>>) => world.act('busy', { times: 3 })],
    [
      'a connection that was cut',
      async (world: Awaited<ReturnType<typeof createListening>>) => {
        await world.control('POST', 'faults', { type: 'drop', when: 'after', times: 1, match: { path: '/cometd/' } });
        await world.add('Lost once');
      },
    ],
    [
      'an answer that broke off',
      async (world: Awaited<ReturnType<typeof createListening>>) => {
        await world.control('POST', 'faults', { type: 'drop_body', times: 1, match: { path: '/cometd/' } });
        await world.add('Broken off');
      },
    ],
    [
      'a page of maintenance',
      async (world: Awaited<ReturnType<typeof createListening>>) => {
        await world.control('POST', 'faults', { type: 'html', times: 2, match: { path: '/cometd/' } });
        await world.act('forgetClients');
      },
    ],
  ])('survives %s, and misses nothing', async (_, happen) => {
    await using world = await createListening();
    const { lastReplayId } = await world.bus();
    const ears = await listen(world, { from: { after: String(lastReplayId) } });
    await until(() => ears.opened.length === 1);
    await world.add('Before');
    await until(() => ears.heard.length === 1);
    await happen(world);
    await world.add('After');
    await until(() => ears.names().includes('After'));
    const { events } = await world.bus();
    const told = new Set(ears.heard.map(({ data }) => JSON.stringify((data as { event: object }).event)));
    expect(told.size).toBe(events.length);
    await ears.stop();
  });

  it('asks where to go on from when an id is refused, and goes on from there', async () => {
    await using world = await createListening();
    await world.add();
    await world.act('trim');
    const ears = await listen(world, { from: { after: '1' }, refused: async () => 'new' });
    await until(() => ears.opened.length === 1);
    expect(ears.failures).toMatchObject([{ kind: 'replay_refused', quote: expect.stringContaining('{1}') }]);
    await world.add('New');
    await until(() => ears.heard.length === 1);
    await ears.stop();
  });

  it('goes on with the other channels when one is refused, and ends when none is left', async () => {
    await using world = await createListening();
    const ears = await listen(world, { channels: ['/data/LeadChangeEvent', CHANNEL] });
    await until(() => ears.opened.length === 1);
    expect([ears.opened, ears.failures]).toMatchObject([[CHANNEL], [{ kind: 'no_channel' }]]);
    await ears.stop();
    const none = await listen(world, { channels: ['/data/LeadChangeEvent'] });
    expect(await none.ended).toMatchObject({ why: 'no_channels' });
  });

  it('ends with the limit that was met', async () => {
    await using world = await createListening();
    const ears = await listen(world);
    await until(() => ears.opened.length === 1);
    await world.act('deliveryLimit');
    await world.add();
    expect(await ears.ended).toMatchObject({ why: 'delivery_limit' });
    await world.act('clientLimit');
    expect(await (await listen(world)).ended).toMatchObject({ why: 'client_limit' });
  });

  it('says nothing of how well the connection is, and uses up no API call', async () => {
    await using world = await createListening();
    const before = (await world.control('GET', 'calls')).count;
    const ears = await listen(world);
    await until(() => ears.opened.length === 1);
    for (let turn = 0; turn < 5; turn++) await world.add();
    await until(() => ears.heard.length === 5);
    expect((await world.control('GET', 'calls')).count).toBe(before);
    await ears.stop();
  });
});

type Said = Readonly<Record<string, unknown>>;

/** A server that speaks Bayeux as the test says. */
function served(answer: (message: Said, authorization: string) => readonly object[]) {
  return createServedWorld((request, response) => {
    const [message] = JSON.parse(request.body) as Said[];
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(answer(message ?? {}, request.headers.authorization ?? '')));
  });
}

const denied = (channel: unknown) => [
  {
    channel,
    successful: false,
    error: '403::Handshake denied',
    ext: { sfdc: { failureReason: '401::Authentication invalid' } },
  },
];

describe('a token that is refused', () => {
  it('is renewed once, then introduced as OAuth, which is remembered', async () => {
    await using world = await served(({ channel }, authorization) => {
      if (!authorization.startsWith('OAuth ')) return denied(channel);
      if (channel === '/meta/connect')
        return [{ channel, successful: false, error: '403::Organization total events daily limit exceeded' }];
      return [{ channel, clientId: 'c1', successful: true }];
    });
    expect(await (await listen(world)).ended).toMatchObject({ why: 'delivery_limit' });
    expect(world.tokenRequests()).toBe(1);
  });

  it('after that is a matter for a person', async () => {
    await using world = await served(({ channel }) => denied(channel));
    expect((await refusal((await listen(world)).ended)).code).toBe('reconnect_needed');
    expect(world.tokenRequests()).toBe(1);
  });
});

describe('a hostile server', () => {
  it('is read to its end: a megabyte, depth, other types and channels; and its cookies go back byte for byte [K3]', async () => {
    const cookies = ['BAYEUX_BROWSER=a/+b==!c', 't=!/+=', 'sfdc-stream=%2F+x!='];
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
    const event = (name: string, channel = CHANNEL) =>
      `{"channel":${JSON.stringify(channel)},"data":{"payload":{"Name":{"LastName":${JSON.stringify(name)}}},"event":{"replayId":7}}}`;
    const strange = [
      event('x'.repeat(1_048_576)),
      `{"channel":"${CHANNEL}"}`,
      `{"channel":{"a":1},"data":{},"successful":"yes","advice":[],"ext":7}`,
      event('foreign', '/data/LeadChangeEvent'),
      event('foreign', '/meta/elsewhere'),
      event('foreign', '__proto__'),
      event('last'),
    ];
    const sent: (string | undefined)[] = [];
    let connects = 0;
    await using world = await createServedWorld((request, response) => {
      const [{ channel, id } = {}] = JSON.parse(request.body) as Said[];
      sent.push(request.headers.cookie);
      response.setHeader('content-type', 'application/json');
      response.setHeader(
        'set-cookie',
        channel === '/meta/handshake' ? cookies.map((one) => `${one}; path=/; secure; HttpOnly`) : [],
      );
      const said = JSON.stringify({ channel, id, clientId: 'c1', successful: true });
      const limit = JSON.stringify({
        channel,
        successful: false,
        error: '403::Organization total events daily limit exceeded',
      });
      if (channel !== '/meta/connect') response.end(`[${said}]`);
      else if (++connects <= 3) response.end(`[{"channel":"${CHANNEL}","data":${deep}},${said}]`);
      else response.end(connects === 4 ? `[${[...strange, said].join(',')}]` : `[${limit}]`);
    });
    const ears = await listen(world, { from: { after: '6' }, refused: async () => 'new' });
    expect(await ears.ended).toMatchObject({ why: 'delivery_limit' });
    // What nobody can read would come again for ever: after three times it is a gap.
    expect(ears.failures).toMatchObject([{ kind: 'replay_refused' }]);
    const names = ears.heard.map(({ channel, data }) => [
      channel,
      (data as Partial<Told>)?.payload?.Name?.LastName?.length,
    ]);
    expect(names).toEqual([
      [CHANNEL, 1_048_576],
      [CHANNEL, 4],
    ]);
    // None at the handshake; then all of them, as they came.
    expect(sent[0]).toBeUndefined();
    expect(sent.slice(1, 4)).toEqual([cookies.join('; '), cookies.join('; '), cookies.join('; ')]);
  });
});

describe("faye's own server", () => {
  it('is understood: another author reads the protocol as we do', async () => {
    const bayeux = new NodeAdapter({ mount: '/cometd/66.0', timeout: 2 });
    const http = createServer();
    bayeux.attach(http);
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const { port } = http.address() as AddressInfo;
    try {
      await using world = await createServedWorld(async (request, response) => {
        const answer = await fetch(`http://127.0.0.1:${port}${request.url}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: request.body,
        });
        response.setHeader('content-type', 'application/json');
        response.end(await answer.text());
      });
      const ears = await listen(world);
      await until(() => ears.opened.length === 1);
      for (const LastName of ['One', 'Two']) {
        await bayeux.getClient().publish(CHANNEL, { payload: { Name: { LastName } }, event: { replayId: 1 } });
      }
      await until(() => ears.heard.length === 2);
      expect(ears.names()).toEqual(['One', 'Two']);
      await ears.stop();
    } finally {
      http.closeAllConnections();
      http.close();
    }
  });
});
