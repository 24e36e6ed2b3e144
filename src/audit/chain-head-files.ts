import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { readdir, readFile, unlink } from 'node:fs/promises';
import path from 'node:path';
import { GatehouseError } from '../domain/errors.ts';
import type { ChainHeadStore } from './chain-head.ts';

/**
 * The signed heads of the audit in files beside the database, one per start of a process, so that processes never wait for
 * each other and none overwrites what an earlier one proved: in a container every start has the same process number.
 */
export function createChainHeadFiles(folder: string, isAlive: (pid: number) => boolean): ChainHeadStore {
  const own = path.join(folder, `${process.pid}-${randomBytes(4).toString('hex')}.head`);

  /** In one go: a few bytes for the page cache take less time than their way through the thread pool. */
  const write = (head: string) => {
    const put = () => writeFileSync(`${own}.new`, head, { mode: 0o600 });
    try {
      put();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      put();
    }
    renameSync(`${own}.new`, own);
  };
  const noRoom = (cause: unknown) =>
    new GatehouseError('internal', 'The data folder of Gatehouse takes no writes at the moment.', {
      next: 'Try again in a minute. If it stays so, tell the operator to look at the disk and the rights of the data folder; nothing is lost.',
      retryable: true,
      retryAfterMs: 10_000,
      cause,
    });

  const files = async (): Promise<string[]> => {
    const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    return names.filter((name) => name.endsWith('.head')).map((name) => path.join(folder, name));
  };

  return {
    where: folder,
    async keep(head) {
      try {
        write(head);
      } catch (error) {
        throw noRoom(error);
      }
    },
    async all() {
      const texts = await Promise.all((await files()).map(readIfThere));
      return texts.filter((text) => text !== undefined);
    },
    async dropOlder(isOutdone) {
      for (const file of await files()) {
        const pid = Number.parseInt(path.basename(file), 10);
        if (file === own || (pid !== process.pid && isAlive(pid))) continue;
        const head = await readIfThere(file);
        if (head !== undefined && (await isOutdone(head))) await unlink(file).catch(() => {});
      }
    },
  };
}

/** Another process may drop it between the look and the read. */
function readIfThere(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}
