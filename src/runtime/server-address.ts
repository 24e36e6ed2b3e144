import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { GatehouseError } from '../domain/errors.ts';
import type { Config } from '../ports/config.ts';
import { isAlive } from './process-alive.ts';

/** Where this data folder is served: every process on it makes its links from that, and only from servers that live. */

export interface ServerAddress {
  /** Where servers note their addresses. */
  readonly folder: string;
  /** Base of links that people open: as configured, else where a server listens now, else where one would. */
  url(): string;
  /** Whether somebody answers there, as far as this folder tells. */
  isOpen(): boolean;
  /**
   * Told by a server once it listens; what it gets back takes the address away again. A `page` lives only as long as
   * the client that it was opened for: links lead there where there is no `server`.
   */
  publish(url: string, kind?: Kind): Promise<() => Promise<void>>;
}

type Kind = 'server' | 'page';

interface Note {
  readonly kind: Kind;
  readonly url: string;
  readonly since: number;
}

/** A server that was killed leaves its note behind, and on another machine only this shows that it did. */
const BEAT_MS = 5_000;
const DEAD_AFTER_MS = 20_000;

export function createServerAddress({ url, dataDir, port }: Pick<Config, 'url' | 'dataDir' | 'port'>): ServerAddress {
  const folder = path.join(dataDir, 'serving');
  // Read again for every link, so that one of a process older than the server is right, too.
  const living = () => url ?? newest(notesIn(folder))?.url;
  return {
    folder,
    url: () => living() ?? `http://localhost:${port}`,
    isOpen: () => living() !== undefined,
    async publish(own, kind = 'server') {
      const file = path.join(folder, `${process.pid}-${randomBytes(4).toString('hex')}`);
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await writeFile(file, `${kind} ${Date.now()} ${process.pid} ${hostname()} ${own}\n`, { mode: 0o600 });
      } catch (cause) {
        throw new GatehouseError('config_invalid', `Where this server listens cannot be noted in ${folder}.`, {
          next: 'Let the account that runs Gatehouse write there, and see that the disk has room.',
          cause,
        });
      }
      const beat = setInterval(() => {
        const now = new Date();
        // Taken away by hand, or with the folder: nobody is told of this server any more. A disk that is read-only may be well again.
        utimes(file, now, now).catch((error: NodeJS.ErrnoException) => {
          if (error.code === 'ENOENT') clearInterval(beat);
        });
      }, BEAT_MS);
      beat.unref();
      return async () => {
        clearInterval(beat);
        // On a disk that takes no writes it stays, and counts no more once this process is gone.
        await rm(file, { force: true }).catch(() => {});
      };
    },
  };
}

function newest(notes: readonly Note[]): Note | undefined {
  const servers = notes.filter(({ kind }) => kind === 'server');
  return (servers.length > 0 ? servers : notes).toSorted((a, b) => a.since - b.since).at(-1);
}

function notesIn(folder: string): Note[] {
  try {
    return readdirSync(folder).flatMap((name) => read(path.join(folder, name)) ?? []);
  } catch {
    return [];
  }
}

const NOTE = /^(server|page) (\d{1,15}) (\d{1,10}) (\S{1,255}) (https?:\/\/\S+)\n$/;

function read(file: string): Note | undefined {
  try {
    const [, kind, since, pid, host, url] = NOTE.exec(readFileSync(file, 'utf8')) ?? [];
    if (kind === undefined || url === undefined) return undefined;
    const isHeard = Date.now() - statSync(file).mtimeMs < DEAD_AFTER_MS;
    const mayLive = host !== hostname() || isAlive(Number(pid));
    return isHeard && mayLive ? { kind: kind as Kind, since: Number(since), url } : undefined; // as the pattern says
  } catch {
    return undefined;
  }
}
