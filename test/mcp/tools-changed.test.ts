import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { expect, it } from 'vitest';
import { saveDeclared } from '../../src/policy/declared.ts';
import { botNamed } from '../../src/policy/permit.ts';
import { openDoor } from './door.ts';

const remind = {
  name: 'RemindOrder',
  title: 'Remind of an order',
  description: 'Starts the reminder of an order.',
  operation: 'flow',
  flow: 'Order_Reminder',
  input: { orderNumber: { type: 'text', maxLength: 8, required: true, description: 'Eight digits' } },
  inputs: { orderNumber: { input: 'orderNumber' } },
};

it('tells a client that its tools changed once another process declares one, and lists it like ours [A5]', async () => {
  await using door = await openDoor({}, { watchMs: 50 });
  const { world } = door;
  const client = new Client({ name: 'test', version: '1' });
  await using _ = { [Symbol.asyncDispose]: () => client.close() };
  const told = new Promise<void>((resolve) =>
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => resolve()),
  );
  const requestInit = { headers: { authorization: `Bearer ${door.key}` } };
  // Optional members of the SDK's own type are not optional in the way ours are.
  await client.connect(new StreamableHTTPClientTransport(new URL(door.url), { requestInit }) as never);
  expect(client.getServerCapabilities()?.tools).toEqual({ listChanged: true });
  const before = (await client.listTools()).tools.map(({ name }) => name);
  const other = await world.again();
  const by = { principal: 'operator:ada', channel: 'cli' } as const;
  const { permission } = await saveDeclared(other, await botNamed(other.store, world.bot), remind, by);
  await other.store.bots.grant(world.bot, permission);
  await told;
  const tools = (await client.listTools()).tools.filter(({ name }) => !before.includes(name));
  expect(tools).toMatchObject([
    {
      name: 'RemindOrder',
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
      inputSchema: { required: ['orderNumber'], additionalProperties: false },
    },
  ]);
});

it('tells every client of the bot that is still there, whoever of them left [A5]', async () => {
  await using door = await openDoor({}, { watchMs: 50 });
  const { world } = door;
  const connected = async () => {
    const client = new Client({ name: 'test', version: '1' });
    const told = new Promise<void>((resolve) =>
      client.setNotificationHandler(ToolListChangedNotificationSchema, () => resolve()),
    );
    const requestInit = { headers: { authorization: `Bearer ${door.key}` } };
    // Optional members of the SDK's own type are not optional in the way ours are.
    const transport = new StreamableHTTPClientTransport(new URL(door.url), { requestInit });
    await client.connect(transport as never);
    await client.listTools();
    return { told, end: () => transport.terminateSession().then(() => client.close()) };
  };
  const [first, second, third] = [await connected(), await connected(), await connected()];
  await first.end();
  await world.app.store.bots.revoke(world.bot, 'RUN_SOQL');
  await Promise.all([second.told, third.told]);
  await Promise.all([second.end(), third.end()]);
  const later = await connected();
  await world.app.store.bots.grant(world.bot, 'RUN_SOQL');
  await later.told;
  await later.end();
});

it('tells a 2026-era client over HTTP that listens, and nobody of another bot [A5]', async () => {
  await using door = await openDoor({}, { watchMs: 50 });
  const { world } = door;
  const { store } = world.app;
  await store.bots.create({ ...(await botNamed(store, world.bot)), name: 'other' });
  const listening = async (key: string) => {
    let count = 0;
    let tell = () => {};
    const told = new Promise<void>((resolve) => {
      tell = resolve;
    });
    const onChanged = () => {
      count += 1;
      tell();
    };
    const client = new ModernClient(
      { name: 'test', version: '1' },
      { versionNegotiation: { mode: 'auto' }, listChanged: { tools: { autoRefresh: false, onChanged } } },
    );
    await client.connect(
      new ModernHttp(new URL(door.url), { requestInit: { headers: { authorization: `Bearer ${key}` } } }),
    );
    expect(client.getNegotiatedProtocolVersion()).toBe('2026-07-28');
    await client.listTools();
    return { told, count: () => count, close: () => client.close() };
  };
  const mine = await listening(door.key);
  const others = await listening(await world.app.access.issueKey('agent', 'other'));
  await store.bots.revoke(world.bot, 'RUN_SOQL');
  await mine.told;
  await store.bots.revoke('other', 'CREATE_LEAD');
  await others.told;
  expect([mine.count(), others.count()]).toEqual([1, 1]);
  await Promise.all([mine.close(), others.close()]);
});
