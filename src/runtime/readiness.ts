import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { Store } from '../ports/store.ts';

/** Whether this process can serve. Resolves when it can; throws what keeps it from that. */
export type Readiness = () => Promise<void>;

/** Anybody may ask, as often as they like: a write is proven once in this time, a read each time. */
const PROVEN_MS = 1_000;
/** A probe waits no longer, and a state that answers later serves nobody. */
const ANSWER_MS = 5_000;

/** A read says that the database answers, a write that there is room: also in the data folder, where the audit's heads lie. */
export function createReadiness(deps: {
  readonly store: Pick<Store, 'audit' | 'proveWritable'>;
  readonly tokens: { check(): Promise<void> };
  readonly dataDir: string;
}): Readiness {
  const { store, tokens, dataDir } = deps;
  let provenAt = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | undefined;

  async function look(): Promise<void> {
    await Promise.all([store.audit.head(), tokens.check()]);
    if (performance.now() - provenAt < PROVEN_MS) return;
    await Promise.all([store.proveWritable(), proveFolder(dataDir)]);
    provenAt = performance.now();
  }

  return async () => {
    // Probes that come while one looks share its answer: a database that hangs gets one question, not one a probe.
    looking ??= look().finally(() => {
      looking = undefined;
    });
    const late = new AbortController();
    try {
      await Promise.race([looking, delay(ANSWER_MS, undefined, { signal: late.signal, ref: false }).then(tooLate)]);
    } finally {
      late.abort();
    }
  };
}

async function proveFolder(dataDir: string): Promise<void> {
  const file = path.join(dataDir, `.proof-${process.pid}`);
  await writeFile(file, 'x'.repeat(16_384), { mode: 0o600 }).finally(() => rm(file, { force: true }));
}

function tooLate(): never {
  throw new Error(`no answer within ${ANSWER_MS} ms`);
}
