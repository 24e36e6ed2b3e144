import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { shippedPolicy } from '../../permissions/policy.ts';
import { openState } from '../../src/app/state.ts';
import { createCipher } from '../../src/store/secrets/cipher.ts';
import { freshFile } from '../support/databases.ts';

const SECRETS = createCipher('a secret of sixteen characters', 'requests of visitors');

it('reads from the bare file what the tables wrote, and the same once they are loaded [F1] [A7]', async () => {
  const place = await freshFile();
  try {
    const first = await openState(place.target, SECRETS);
    const policy = shippedPolicy('internal', []);
    const bot = { name: 'desk', audience: 'internal', profile: 'internal', createdAt: 1, policy } as const;
    await first.store.bots.create({ ...bot, grants: ['RUN_SOQL', 'READ_ACCOUNT'] });
    await first.store.bots.create({ ...bot, name: 'bare', createdAt: 2, grants: [] });
    await first.store.keys.add({ id: 'k', hash: 'h', kind: 'agent', owner: 'desk', createdAt: 1, revokedAt: null });
    await first.store.values.set('check', 'for ever', 'v', null);
    await first.store.values.set('check', 'until 5', 'v', 5);
    await first.store.close();

    const { store, database } = await openState(place.target, SECRETS);
    const read = async () => ({
      bots: [await store.bots.get('desk'), await store.bots.get('nobody'), ...(await store.bots.list())],
      keys: [await store.keys.byHash('h'), await store.keys.byHash('x')],
      connections: [await store.connections.get('desk'), ...(await store.connections.list())],
      values: await Promise.all(
        [0, 5].flatMap((now) => ['for ever', 'until 5'].map((key) => store.values.get('check', key, now))),
      ),
    });
    const before = await read();
    expect(before.bots).toMatchObject([
      { name: 'desk', grants: ['READ_ACCOUNT', 'RUN_SOQL'], policyRevision: 1, policy },
      undefined,
      { name: 'desk' },
      { name: 'bare', grants: [] },
    ]);
    expect(before.keys).toMatchObject([{ owner: 'desk' }, undefined]);
    expect(before.connections).toEqual([undefined]);
    expect(before.values).toEqual(['v', 'v', 'v', undefined]);
    await expect(store.bots.get('de\0sk')).rejects.toMatchObject({ code: 'invalid_input' });
    await database();
    expect(await read()).toEqual(before);
    await store.close();
  } finally {
    await place.remove();
  }
});

it('shows no read what a transaction beside it has not committed [F1]', async () => {
  const place = await freshFile();
  try {
    await (await openState(place.target, SECRETS)).store.close();
    const { store } = await openState(place.target, SECRETS);
    const read = () => store.values.get('check', 'k', 0);
    const early = read();
    let late: Promise<unknown> | undefined;
    await new Promise<void>((written) => {
      const failed = store.atomically(async (inside) => {
        await inside.values.set('check', 'k', 'not yet', null);
        written();
        throw new Error('taken back');
      });
      late = expect(failed).rejects.toThrow('taken back');
    });
    expect(await Promise.all([early, read()])).toEqual([undefined, undefined]);
    await late;
    await store.close();
  } finally {
    await place.remove();
  }
});

it('lets no start to a listing load Kysely, a table, a migration or the road of a call [F1]', async () => {
  const roots = ['src/main.ts', 'src/cli/commands/mcp.ts', 'src/mcp/stdio.ts', 'src/app/app.ts', 'src/gate/listing.ts'];
  const { metafile } = await build({
    entryPoints: [...roots, 'src/store/engines/sqlite.ts', 'actions/*.ts'],
    outdir: 'dist',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    metafile: true,
    write: false,
  });
  const seen = new Set([
    ...roots,
    'src/store/engines/sqlite.ts',
    ...Object.keys(metafile.inputs).filter((file) => file.startsWith('actions/')),
  ]);
  const packages = new Set<string>();
  // A set visits what is added on the way.
  for (const file of seen)
    for (const { path, kind, external } of metafile.inputs[file]?.imports ?? [])
      if (kind === 'import-statement') (external === true ? packages : seen).add(path);
  const late =
    /^src\/(store\/(tables|migrations|sync)\/|store\/open|gate\/(handle|receipts|undo)|confirm\/|sync\/|salesforce\/transport\/|http\/|domain\/answers)/;
  expect([...seen].filter((file) => late.test(file))).toEqual([]);
  expect(packages).not.toContain('kysely');
  expect(packages).toContain('zod');
});
