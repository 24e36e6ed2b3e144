import { spawn } from 'node:child_process';
import { expect, it } from 'vitest';
import { approve } from '../salesforce/org-world.ts';
import { createGatehouse, MAIN } from '../support/cli.ts';
import { openDeployHouse } from '../support/deploy-house.ts';

/** `org prepare --deploy` of the built program, beside a server of the same house and an org on a port. */

const DEPLOYMENT = /deployment=([0-9a-f]+)/;

function started(args: readonly string[], env: Record<string, string>) {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { PATH: process.env.PATH ?? '', ...env } });
  const text = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text.out += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text.err += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const told = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        const found = pattern.exec(text.err)?.[1];
        if (found !== undefined) resolve(found);
      };
      child.stderr.on('data', look);
      void ended.then((code) => reject(new Error(`ended with ${code}: ${text.out} ${text.err}`)));
    });
  return { child, text, ended, told };
}

it('waits for the sign-in, shows what was tried, and deploys exactly that after a yes [B5] [C3]', async () => {
  await using house = await openDeployHouse();
  const env = { ...house.settings, GATEHOUSE_URL: house.door.url, GATEHOUSE_OPERATOR_KEY: house.ada.key };
  const command = started(['org', 'prepare', 'desk', '--deploy'], env);
  const id = await command.told(DEPLOYMENT);
  const { json: way } = await house.ada.ask('POST', `${house.at}/${id}/sign-in`);
  await house.ada.ask('GET', `/oauth/callback?${await approve(way.url)}`);
  expect(await command.ended).toBe(0);
  expect(command.text.out).toMatch(/created: PermissionSet Gatehouse_desk_\w{4}/);
  expect(command.text.out).toContain('Lead: read, create');
  const [, digest] = /--yes ([0-9a-f]{64})/.exec(command.text.out) ?? [];
  expect(await house.asked()).toBe(1);

  const other = { ...env, GATEHOUSE_OPERATOR_KEY: (await house.person('bob')).key };
  const theirs = started(['org', 'prepare', 'desk', '--deployment', id, '--yes', digest ?? ''], other);
  expect(await theirs.ended).toBe(1);
  expect(theirs.text.err).toContain('Only operator:ada');
  const done = started(
    ['org', 'prepare', 'desk', '--deployment', id, '--yes', digest ?? '', '--assign', '--json'],
    env,
  );
  expect(await done.ended).toBe(0);
  expect(JSON.parse(done.text.out).deployment).toMatchObject({ state: 'deployed', assigned: 'assigned' });
  expect([await house.asked(), await house.revoked()]).toEqual([2, 1]);
});

it('that is interrupted ends its deployment and revokes the sign-in [B5] [O4]', async () => {
  await using house = await openDeployHouse();
  await house.control('POST', 'settings', { deployMs: 600_000 });
  const env = { ...house.settings, GATEHOUSE_URL: house.door.url, GATEHOUSE_OPERATOR_KEY: house.ada.key };
  const command = started(['org', 'prepare', 'desk', '--deploy'], env);
  const id = await command.told(DEPLOYMENT);
  const { json: way } = await house.ada.ask('POST', `${house.at}/${id}/sign-in`);
  await house.ada.ask('GET', `/oauth/callback?${await approve(way.url)}`);
  command.child.kill('SIGINT');
  expect(await command.ended).toBe(0);
  expect(command.text.out).toContain('nothing was deployed');
  expect((await house.ada.ask('GET', `${house.at}/${id}`)).json).toMatchObject({
    ...{ state: 'cancelled', isSignInOver: true },
  });
  expect([await house.asked(), await house.revoked()]).toEqual([1, 1]);
});

it('signs the administrator of the embedded org in at once [B5]', async () => {
  await using house = await createGatehouse();
  await house.run(['bot', 'create', 'acme', '--profile', 'internal', '--json']);
  await house.run(['connect', 'acme', '--json']);
  const tried = await house.run(['org', 'prepare', 'acme', '--deploy', '--json']);
  expect(tried.json.deployment).toMatchObject({ state: 'checked', username: 'admin@sim.example' });
  const { id, digest } = tried.json.deployment;
  const done = await house.run(['org', 'prepare', 'acme', '--deployment', id, '--yes', digest, '--json']);
  expect(done.json.deployment).toMatchObject({ state: 'deployed', isSignInOver: true });
});
