import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testFolder } from '../support/prepared.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const TSC = path.join(ROOT, 'node_modules', 'typescript', 'lib', 'tsc.js');
const TSC_OPTIONS = ['--strict', '--module', 'nodenext', '--target', 'es2022', '--skipLibCheck', '--types', 'node'];
TSC_OPTIONS.push('--typeRoots', path.join(ROOT, 'node_modules', '@types'));

/** What docs/library.md promises, as somebody writes it who has nothing but the package. */
const ACTION = `
import { defineAction, GatehouseError } from 'gatehouse';
import { z } from 'zod';

export default defineAction({
  name: 'FindPerson',
  title: 'Find a person',
  description: 'Finds one contact by email. Use when an email is known. Not for lists.',
  permission: 'READ_ACCOUNT',
  risk: 'read',
  touches: { reads: ['Contact'], fields: ['Contact.Name', 'Contact.Email'] },
  input: z.strictObject({ email: z.string().describe('Email') }),
  output: z.object({ name: z.string() }),
  async run({ email }, { salesforce }) {
    const where = [{ field: 'Email', is: email }];
    const [found] = await salesforce.find('Contact', { fields: ['Name', 'Email'], where, limit: 2 });
    if (found === undefined) throw new GatehouseError('not_found', 'Nobody has this email.', { next: 'Check it.' });
    return { name: String(found.Name) };
  },
});
`;
const LIBRARY_USER = `
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type App, createApp, GatehouseError, parsePolicy, readConfig, shippedPolicy } from 'gatehouse';
import { serveSim } from 'gatehouse/sim';

const app: App = await createApp(
  readConfig({ GATEHOUSE_DATA: mkdtempSync(path.join(tmpdir(), 'gatehouse-user-')), GATEHOUSE_LOG: 'silent' }),
  { actions: new URL('./actions/', import.meta.url) },
);
const shipped = shippedPolicy('internal', app.actions);
const read = parsePolicy({ ...shipped, actions: { ...shipped.actions, FindPerson: { decision: 'auto' } } });
if ('problems' in read) throw new Error(JSON.stringify(read.problems));
await app.store.bots.create({
  name: 'mine', audience: 'internal', profile: 'internal', createdAt: Date.now(), grants: ['READ_ACCOUNT'],
  policy: read.policy,
});
await app.connections.connect('mine', { flow: 'simulated' });
const call = (action: string, args: object) =>
  app.gate.call({ bot: 'mine', principal: 'agent:test', channel: 'rest', action, args });
const account = (await call('GetAccount', { name: 'Acme Industries' })).result?.account as { Name: string };
const person = (await call('FindPerson', { email: 'rosa.gonzalez@acme.example' })).result;
const refused = await call('FindPerson', { email: 'nobody@acme.example' }).catch((error: unknown) => error);
const sim = await serveSim({ port: 0 });
const versions = (await (await fetch(sim.url + '/services/data')).json()) as unknown[];
await sim.close();
await app.close();
process.stdout.write(
  JSON.stringify([account.Name, person, refused instanceof GatehouseError && refused.code, versions.length > 0]),
);
`;

describe('the packed tarball', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(testFolder(), 'gatehouse-pack-'));
    await writeFile(path.join(folder, 'package.json'), '{"private":true,"type":"module"}');
    await run('npm', ['run', '-s', 'declarations'], { cwd: ROOT });
    // The program itself is built: nobody rewrites it while other tests run it.
    await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: ROOT });
  }, 240_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('gives TypeScript its types and Node all that docs/library.md says, with nothing but the package [X1]', async () => {
    const installed = path.join(folder, 'node_modules', 'gatehouse');
    await mkdir(installed, { recursive: true });
    await run('tar', ['-xzf', await tarballIn(folder), '--strip-components=1', '-C', installed]);
    // As installed: what it depends on, and nothing that only we develop with.
    const { dependencies } = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8'));
    for (const name of Object.keys(dependencies)) {
      await mkdir(path.dirname(path.join(folder, 'node_modules', name)), { recursive: true });
      await symlink(path.join(ROOT, 'node_modules', name), path.join(folder, 'node_modules', name));
    }
    await mkdir(path.join(folder, 'actions'));
    await writeFile(path.join(folder, 'actions', 'find-person.ts'), ACTION);
    await writeFile(path.join(folder, 'use.ts'), LIBRARY_USER);
    await run(process.execPath, [TSC, ...TSC_OPTIONS, 'use.ts', 'actions/find-person.ts'], { cwd: folder });
    await rm(path.join(folder, 'actions', 'find-person.ts'));
    const { stdout } = await run(process.execPath, ['use.js'], { cwd: folder });
    expect(JSON.parse(stdout)).toEqual(['Acme Industries', { name: 'Rosa Gonzalez' }, 'not_found', true]);
    expect(await readdir(path.join(installed, 'dist'))).toContain('THIRD-PARTY-NOTICES.txt');
  }, 240_000);

  // From the registry, and with the demo: half a minute and a network, so only when asked for.
  it.skipIf(process.env.GATEHOUSE_TEST_PACK !== '1')(
    'installs into an empty folder, and plays the demo there [X1]',
    async () => {
      const empty = await mkdtemp(path.join(tmpdir(), 'gatehouse-pack-'));
      try {
        await writeFile(path.join(empty, 'package.json'), '{"private":true,"type":"module"}');
        await run('npm', ['install', '--no-audit', '--no-fund', await tarballIn(folder)], { cwd: empty });
        const program = path.join(empty, 'node_modules', '.bin', 'gatehouse');
        const { stdout } = await run(program, ['demo', '--json'], { cwd: empty });
        expect(JSON.parse(stdout).ok).toBe(true);
      } finally {
        await rm(empty, { recursive: true, force: true });
      }
    },
    240_000,
  );
});

async function tarballIn(folder: string): Promise<string> {
  const [name = ''] = (await readdir(folder)).filter((file) => file.endsWith('.tgz'));
  return path.join(folder, name);
}
