import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { readInput } from '../../src/cli/input.ts';

it('is read without the mark that editors on Windows put before a file, which nobody sees', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-input-'));
  const file = path.join(folder, 'policy.json');
  await writeFile(file, '\uFEFF{"mode":"ask"}');
  expect(await readInput(file)).toBe('{"mode":"ask"}');
  await rm(folder, { recursive: true });
});
