import { expect, it } from 'vitest';
import { createGatehouse } from '../support/cli.ts';

it('finds nothing wrong at the built server, and ends as a script can tell where there is [X8]', async () => {
  await using house = await createGatehouse();
  await using server = await house.start(['serve', '--port', '0', '--json']);
  const mcp = `${server.document.url}/mcp`;
  const right = await house.run(['check-oauth', mcp, '--json']);
  expect([right.code, right.stderr]).toEqual([0, '']);
  expect(right.json).toMatchObject({ url: mcp, ok: true });
  const wrong = await house.run(['check-oauth', `${server.document.url}/nowhere`, '--json']);
  expect(wrong.code).toBe(1);
  expect(wrong.json).toMatchObject({
    ok: false,
    findings: [{ step: 'address' }, { step: 'challenge', level: 'wrong' }],
  });
  expect(wrong.error).toMatchObject({ code: 'config_invalid' });
  const text = await house.run(['check-oauth', mcp]);
  expect(text.stdout).toContain('A person is asked at');
});
