import { expect, it } from 'vitest';
import { describeStores } from '../support/databases.ts';

const row = (id: string, more: { bot?: string; usedAt?: number } = {}) => ({
  id,
  bot: 'demo',
  principal: 'agent:1',
  indexValue: null,
  user: null,
  client: '{}',
  usedAt: 100,
  ...more,
});
const room = (more: { most?: number; idleSince?: number; now?: number } = {}) => ({
  most: 2,
  idleSince: 0,
  now: 100,
  ...more,
});

describeStores((_, openFresh) => {
  it('makes room for a session among its own bot’s, the longest unused first, and spares calls under way [M9]', async () => {
    await using fresh = await openFresh();
    const { mcpSessions } = fresh.store;
    expect(await mcpSessions.open(row('other', { bot: 'other', usedAt: 1 }), room())).toEqual([]);
    expect(await mcpSessions.open(row('a'), room())).toEqual([]);
    expect(await mcpSessions.open(row('b'), room())).toEqual([]);
    await mcpSessions.beginCall('a', 100, 500);
    await mcpSessions.beginCall('a', 100, 400);

    expect(await mcpSessions.open(row('c'), room())).toEqual(['b']);
    await mcpSessions.beginCall('c', 100, 500);
    expect(await mcpSessions.open(row('d'), room())).toBeUndefined();
    expect(await mcpSessions.get('d')).toBeUndefined();
    await mcpSessions.endCall('a');
    expect(await mcpSessions.get('a')).toMatchObject({ calls: 1, busyUntil: 500 });
    expect(await mcpSessions.open(row('d'), room())).toBeUndefined();
    await mcpSessions.endCall('a');
    expect(await mcpSessions.open(row('d'), room())).toEqual(['a']);
    expect(await mcpSessions.get('other')).toMatchObject({ usedAt: 1, calls: 0 });
  });

  it('forgets idle sessions of every bot, and calls that no process ended [M10]', async () => {
    await using fresh = await openFresh();
    const { mcpSessions } = fresh.store;
    await mcpSessions.open(row('idle', { bot: 'other', usedAt: 1 }), room());
    await mcpSessions.open(row('crashed'), room());
    await mcpSessions.beginCall('crashed', 100, 500);

    await mcpSessions.open(row('new', { usedAt: 900 }), room({ most: 1, idleSince: 50, now: 900 }));

    expect(await mcpSessions.get('idle')).toBeUndefined();
    expect(await mcpSessions.get('crashed')).toBeUndefined();
    await mcpSessions.beginCall('new', 900, 1000);
    expect(await mcpSessions.get('new')).toMatchObject({ calls: 1, busyUntil: 1000, usedAt: 900 });
    await mcpSessions.end('new');
    expect(await mcpSessions.get('new')).toBeUndefined();
  });
});
