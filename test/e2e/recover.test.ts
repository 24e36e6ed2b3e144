import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createGatehouse, MAIN } from '../support/cli.ts';

/** A real terminal: `script` of util-linux gives the command one, whatever our own standard input is. */
const hasTerminal = spawnSync('script', ['--version']).status === 0;

describe.skipIf(!hasTerminal)('the way back in (skipped where util-linux has no `script`)', () => {
  it('signs an admin in without a key, at a terminal, by typing the name of the installation [U2 C3]', async () => {
    await using house = await createGatehouse();
    const key = (await house.run(['operator', 'create', 'ada', '--role', 'admin', '--json'])).json.key;
    const told: string[] = [];
    const hook = createServer((request, response) => {
      request.on('data', (chunk: Buffer) => told.push(chunk.toString()));
      request.on('end', () => response.end());
    });
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
    const { port } = hook.address() as AddressInfo; // a TCP server that listens has one
    {
      await using server = await house.start(['serve', '--port', '0']);
      const put = await fetch(`${server.document.url}/api/bots/demo/sync/webhook`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ url: `http://127.0.0.1:${port}/` }),
      });
      expect(put.status).toBe(200);
    }
    const recover = (typed: string) =>
      new Promise<string>((resolve) => {
        const child = spawn(
          'script',
          ['-qec', `${process.execPath} ${MAIN} operator sign-in ada --recover`, '/dev/null'],
          {
            env: { ...house.env, GATEHOUSE_URL: 'https://gate.example', GATEHOUSE_SIM: '1', PORT: '3999' },
          },
        );
        let said = '';
        child.stdout.on('data', (chunk: Buffer) => {
          said += chunk.toString();
          if (typed !== '' && said.includes('to go on: ')) {
            child.stdin.write(`${typed}\n`);
            typed = '';
          }
        });
        child.on('close', () => resolve(said));
      });
    expect(await recover('something else')).toContain('nothing was done');
    expect(await recover('gate.example')).toMatch(/https:\/\/gate\.example\/sign-in#[\w-]{40,}/);
    expect(told.join()).toContain('"type":"operator.recovered"');
    hook.close();
    // No script and no setting can do it.
    const piped = await house.run(['operator', 'sign-in', 'ada', '--recover', '--json'], {
      env: { GATEHOUSE_PRINT_SIGN_IN: '1' },
    });
    expect([piped.code, piped.error.code]).toEqual([1, 'permission_denied']);
    const rows = (await house.run(['audit', 'export', '--json'])).json.rows as { event: string }[];
    expect(rows.filter(({ event }) => event === 'access_recovered')).toHaveLength(1);
  });
});
