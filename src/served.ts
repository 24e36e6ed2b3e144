import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from './config.ts';
import { isAlive } from './is-alive.ts';

/** Where this data folder is served: the other processes on it make their links from that. */

export interface Served {
  /** Base of links that people open: as configured, else where a server listens now, else where one would. */
  url(): string;
  /** The server notes its address once it listens; what it gets back takes the note away again. */
  note(url: string): Promise<() => Promise<void>>;
}

export function createServed({ url, dataDir, port }: Pick<Config, 'url' | 'dataDir' | 'port'>): Served {
  const file = path.join(dataDir, 'served');
  return {
    // Read again for every link, so that one of a process older than the server is right, too.
    url: () => url ?? noted(read(file)) ?? `http://localhost:${port}`,
    async note(own) {
      const line = `${process.pid} ${own}\n`;
      await writeFile(file, line, { mode: 0o600 });
      return async () => {
        // A second server on the same folder may have written its own since.
        if (read(file) === line) await rm(file, { force: true });
      };
    },
  };
}

/** A server that was killed left its note behind. */
function noted(line: string | undefined): string | undefined {
  const [, pid, url] = /^(\d+) (https?:\/\/\S+)\n$/.exec(line ?? '') ?? [];
  return pid !== undefined && isAlive(Number(pid)) ? url : undefined;
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
