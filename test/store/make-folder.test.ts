import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeFolder } from '../../src/store/secrets/make-folder.ts';

describe('making a folder', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'gatehouse-folder-'));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it('makes all above it for this account alone, however many do it at once', async () => {
    const folder = path.join(root, 'a', 'b', 'c');
    await Promise.all([1, 2, 3, 4].map(() => makeFolder(folder)));
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    await makeFolder(folder);
    await makeFolder('/');
  });

  it('refuses under a file, and does not wait for ever where nothing can be made', async () => {
    await writeFile(path.join(root, 'file'), '');
    await expect(makeFolder(path.join(root, 'file'))).rejects.toThrow();
    await expect(makeFolder(path.join(root, 'file', 'a'))).rejects.toThrow();
    if (process.platform === 'linux') await expect(makeFolder('/proc/nope/a')).rejects.toThrow();
  });
});
