import { spawn, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { createGatehouse, MAIN } from '../support/cli.ts';

/** A real terminal: `script` of util-linux gives the command one, whatever our own standard input is. */
const hasTerminal = spawnSync('script', ['--version']).status === 0;

describe.skipIf(!hasTerminal)('the way back in (skipped where util-linux has no `script`)', () => {
  it('signs an admin in without a key, at a terminal, by typing the name of the installation [U2 C3]', async () => {
    await using house = await createGatehouse();
    await house.run(['operator', 'create', 'ada', '--role', 'admin', '--json']);
    const recover = (typed: string) =>
      new Promise<string>((resolve) => {
        const child = spawn(
          'script',
          ['-qec', `${process.execPath} ${MAIN} operator sign-in ada --recover`, '/dev/null'],
          {
            env: { ...house.env, GATEHOUSE_URL: 'https://gate.example', PORT: '3999' },
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
    // No script and no setting can do it.
    const piped = await house.run(['operator', 'sign-in', 'ada', '--recover', '--json'], {
      env: { GATEHOUSE_PRINT_SIGN_IN: '1' },
    });
    expect([piped.code, piped.error.code]).toEqual([1, 'permission_denied']);
    const rows = (await house.run(['audit', 'export', '--json'])).json.rows as { event: string }[];
    expect(rows.filter(({ event }) => event === 'access_recovered')).toHaveLength(1);
  });
});
