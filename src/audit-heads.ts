import { mkdir, readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { HeadKeeper } from './audit.ts';

/**
 * The signed heads of the audit in files beside the database, one per process, so that processes never wait for each other.
 * A file of a process that is gone is dropped once a later head is kept.
 */
export function createHeadKeeper(folder: string, isAlive: (pid: number) => boolean): HeadKeeper {
  const own = path.join(folder, `${process.pid}.head`);
  let isFirst = true;
  let pending: Promise<void> = Promise.resolve();

  const write = async (head: string) => {
    if (isFirst) await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(`${own}.new`, head, { mode: 0o600 });
    await rename(`${own}.new`, own);
    if (isFirst) await dropOlder(Number.parseInt(head, 10));
    isFirst = false;
  };

  const files = async (): Promise<string[]> => {
    const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    return names.filter((name) => name.endsWith('.head')).map((name) => path.join(folder, name));
  };

  const dropOlder = async (seq: number) => {
    for (const file of await files()) {
      const pid = Number.parseInt(path.basename(file), 10);
      if (file === own || isAlive(pid)) continue;
      const kept = Number.parseInt(await readFile(file, 'utf8').catch(() => '0'), 10);
      if (kept <= seq) await unlink(file).catch(() => {});
    }
  };

  return {
    keep(head) {
      // In order: a later head never loses to an earlier one of the same process.
      pending = pending.catch(() => {}).then(() => write(head));
      return pending;
    },
    all: async () => Promise.all((await files()).map((file) => readFile(file, 'utf8'))),
  };
}
