import { randomBytes } from 'node:crypto';
import { accessSync, constants, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { open, readdir, readFile, unlink } from 'node:fs/promises';
import path from 'node:path';
import { GatehouseError } from '../domain/errors.ts';
import { type ChainHeadStore, HEAD_LENGTH } from './chain-head.ts';

/** Then it is nobody's write that is under way. */
const LOOKS = 20;
const SYNC_MS = 3_000;

/**
 * The signed heads of the audit in files beside the database, one per start of a process, so that processes never wait for
 * each other and none overwrites what an earlier one proved: in a container every start has the same process number.
 */
export function createChainHeadFiles(folder: string, isAlive: (pid: number) => boolean): ChainHeadStore {
  const own = path.join(folder, `${process.pid}-${randomBytes(4).toString('hex')}.head`);

  let isSyncing = false;
  /** For a power cut alone: what was written outlives the process without it. */
  const syncSoon = () => {
    if (isSyncing) return;
    isSyncing = true;
    setTimeout(async () => {
      isSyncing = false;
      const file = await open(own, 'r+').catch(() => undefined);
      await file?.datasync().catch(() => {});
      await file?.close().catch(() => {});
    }, SYNC_MS).unref();
  };

  /**
   * Over the one before it, in one small write: making a file and renaming it takes thirty times as long. So each is as long as every
   * other, and the file comes whole.
   */
  const write = (head: string) => {
    const line = head.padEnd(HEAD_LENGTH);
    try {
      // Told now: the next start of a process must make a file here.
      accessSync(folder, constants.W_OK);
      writeFileSync(own, line, { flag: 'r+' });
      syncSoon();
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(`${own}.new`, line, { mode: 0o600, flush: true });
    renameSync(`${own}.new`, own);
  };
  const noRoom = (cause: unknown) =>
    new GatehouseError('store_unavailable', 'The data folder of Gatehouse takes no writes at the moment.', {
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
    async all(isSigned) {
      const texts = await Promise.all((await files()).map((file) => readSigned(file, isSigned)));
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

/** Amid a write of another process, a read can find the one's beginning and the other's end. */
async function readSigned(file: string, isSigned: (head: string) => boolean): Promise<string | undefined> {
  for (let look = 1; ; look += 1) {
    const head = await readIfThere(file);
    if (head === undefined || look === LOOKS || isSigned(head)) return head;
  }
}

/** Another process may drop it between the look and the read. */
function readIfThere(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').then(
    (text) => text.trimEnd(),
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    },
  );
}
