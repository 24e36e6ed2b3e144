import { access, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { GatehouseError } from '../domain/errors.ts';
import type { Store } from '../ports/store.ts';

/** Whether this process can serve. Resolves when it can; throws what keeps it from that. */
export type Readiness = () => Promise<void>;

/** Anybody may ask, as often as they like: a write is proven once in this time, a read each time. */
const PROVEN_MS = 1_000;
/** A probe waits no longer, and a state that answers later serves nobody. */
const ANSWER_MS = 5_000;

/** A read says that the database answers, a write that there is room: also in every folder that calls write to. */
export function createReadiness(deps: {
  readonly store: Pick<Store, 'audit' | 'proveWritable'>;
  readonly tokens: { check(): Promise<void> };
  /** Those that are not there yet are made at their first use. */
  readonly folders: readonly string[];
}): Readiness {
  const { store, tokens, folders } = deps;
  let provenAt = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | undefined;

  async function look(): Promise<void> {
    await store.audit.head();
    if (performance.now() - provenAt < PROVEN_MS) return;
    await Promise.all([store.proveWritable(), tokens.check(), ...folders.map(proveFolder)]);
    provenAt = performance.now();
  }

  return async () => {
    // Probes that come while one looks share its answer: a database that hangs gets one question in five seconds, not one a
    // probe. The next one is asked anew: what hangs may be the line, and no longer the database.
    looking ??= inTime(look()).finally(() => {
      looking = undefined;
    });
    return looking;
  };
}

async function inTime(look: Promise<void>): Promise<void> {
  const late = new AbortController();
  try {
    await Promise.race([look, delay(ANSWER_MS, undefined, { signal: late.signal, ref: false }).then(tooLate)]);
  } finally {
    late.abort();
  }
}

async function proveFolder(folder: string): Promise<void> {
  const isThere = await access(folder).then(
    () => true,
    ({ code }: NodeJS.ErrnoException) => code !== 'ENOENT',
  );
  if (!isThere) return;
  const file = path.join(folder, `.proof-${process.pid}`);
  await writeFile(file, 'x'.repeat(16_384), { mode: 0o600 }).finally(() => rm(file, { force: true }));
}

function tooLate(): never {
  throw new GatehouseError(
    'store_unavailable',
    `The database of Gatehouse does not answer within ${ANSWER_MS / 1_000} seconds.`,
    {
      next: 'See that it runs, can be reached from here, and has connections left.',
    },
  );
}
