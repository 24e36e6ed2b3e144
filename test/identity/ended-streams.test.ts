import { expect, it } from 'vitest';
import { openDatabase } from '../../src/store/open.ts';
import { describeOnce, describePostgres } from '../support/databases.ts';
import type { Door } from '../support/door.ts';
import { openIdentityDoor, register, signInto } from './person.ts';

/** What a caller has open ends with what let them in, wherever somebody ended it: a stream is a request that lasts for hours. */

const MODERN = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'subscriptions/listen' };
const MOVE = { name: 'UpdateOpportunity', arguments: { reference: 'OPP-123', nextStep: 'Send the contract' } };
const WHO = {
  protocolVersion: '2025-11-25',
  capabilities: { elicitation: {} },
  clientInfo: { name: 'test', version: '1' },
};

type Open = (env: Record<string, string>) => Promise<Door>;

describeOnce('on SQLite', () => suite((make) => make({}).then((door) => ({ door, remove: async () => {} }))));
describePostgres((makeSchema) =>
  suite(async (make) => {
    const { target, remove } = await makeSchema();
    await (await openDatabase(target)).close();
    const url = new URL(target.url);
    url.searchParams.set('options', `-c search_path=${target.schema}`);
    return { door: await make({ DATABASE_URL: url.href }), remove };
  }),
);

function suite(place: (make: Open) => Promise<{ door: Door; remove: () => Promise<void> }>): void {
  /** Sessions, listeners and calls that wait for a form: every stream that there is. */
  const streamsOf = async (door: Door, token: string) => {
    const ask = (init: { method?: string; body?: unknown; headers?: Record<string, string> }) =>
      fetch(`${door.url}/mcp`, {
        method: init.method ?? 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'application/json, text/event-stream',
          'content-type': 'application/json',
          ...init.headers,
        },
        ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
      });
    const opened = await ask({ body: { jsonrpc: '2.0', id: 1, method: 'initialize', params: WHO } });
    await opened.text();
    const headers = {
      'mcp-session-id': opened.headers.get('mcp-session-id') ?? '',
      'mcp-protocol-version': '2025-11-25',
    };
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const params = { notifications: { toolsListChanged: true }, _meta: meta };
    return Promise.all([
      ask({ method: 'GET', headers }),
      ask({ body: { jsonrpc: '2.0', id: 2, method: 'tools/call', params: MOVE }, headers }),
      ask({ body: { jsonrpc: '2.0', id: 3, method: 'subscriptions/listen', params }, headers: MODERN }),
    ]);
  };

  const expectOpen = (streams: readonly Response[]) => {
    for (const { status, headers } of streams)
      expect([status, headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  };
  /** Resolves once every one of them has ended. */
  const over = (streams: readonly Response[]) => Promise.all(streams.map((one) => one.text()));

  it.each(['another process ends it', 'the program gives it back', 'its operator is removed', 'its time is over'])(
    'ends every stream of a person’s program when %s, and nobody else’s [X8]',
    async (how) => {
      const { door, remove } = await place((env) => openIdentityDoor({ env }, { watchMs: 20 }));
      try {
        const program = await register(door);
        await door.signIn('admin');
        const [ada, bo] = [await door.signIn('approver'), await door.signIn('approver')];
        const hers = await signInto(door, program, ada);
        const his = await signInto(door, program, bo);
        const mine = await streamsOf(door, hers.access);
        const others = how === 'its time is over' ? [] : await streamsOf(door, his.access);
        expectOpen([...mine, ...others]);
        const other = await door.world.again();
        const [app] = await other.identity.apps({ operator: ada.name });
        if (how === 'another process ends it')
          await other.identity.end(app?.id ?? '', { principal: 'operator:test', channel: 'rest' });
        if (how === 'the program gives it back')
          await door.ask('POST', '/oauth/revoke', { form: { token: hers.refresh } });
        if (how === 'its operator is removed') await other.store.operators.remove(ada.name, door.world.clock.now);
        if (how === 'its time is over') door.world.clock.advance(31 * 24 * 3_600_000);
        await over(mine);
        const ends = others.map((one) => one.text().then(() => 'ended'));
        // Her streams ended at a look that asked about his, too.
        expect(await Promise.race([...ends, door.ask('GET', '/api/health').then(() => 'open')])).toBe('open');
        await door.ask('POST', '/oauth/revoke', { form: { token: his.refresh } });
        await Promise.all(ends);
      } finally {
        await door[Symbol.asyncDispose]();
        await remove();
      }
    },
  );

  it('ends every stream of a key that was revoked, or whose bot was deleted [X8]', async () => {
    const { door, remove } = await place((env) => openIdentityDoor({ env }, { watchMs: 20 }));
    try {
      const { store, access } = door.world.app;
      const streams = await streamsOf(door, door.keys.agent);
      expectOpen(streams);
      await access.revokeKeys('agent', door.world.bot);
      await over(streams);
      const again = await streamsOf(door, await access.issueKey('agent', door.world.bot));
      expectOpen(again);
      await store.bots.remove(door.world.bot);
      await over(again);
    } finally {
      await door[Symbol.asyncDispose]();
      await remove();
    }
  });
}
