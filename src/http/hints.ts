import { setTimeout as delay } from 'node:timers/promises';
import type { AuditRow, Store } from '../ports/store.ts';
import type { HttpDeps } from './deps.ts';

/**
 * Hints that something changed, for pages that are open: never data, so that a lost one costs nothing. Taken from the audit,
 * which every process writes: the same on SQLite and PostgreSQL and across processes.
 */
export interface Hint {
  readonly type: 'proposal' | 'connection' | 'sync' | 'audit' | 'policy';
  readonly bot?: string;
  readonly id?: string;
}

export interface HintsDeps {
  readonly store: { readonly audit: Pick<Store['audit'], 'head' | 'page'> };
  readonly syncHead?: HttpDeps['syncHead'];
}

const LOOK_MS = 1_000;
/** More than that at once is one hint to look anew. */
const MOST = 50;

export interface Hints {
  /** From now on, until aborted. */
  listen(signal: AbortSignal): AsyncGenerator<Hint>;
}

export function createHints({ store, syncHead }: HintsDeps): Hints {
  return {
    async *listen(signal) {
      let seen = (await store.audit.head())?.seq ?? 0;
      let sync = await syncHead?.();
      for (;;) {
        await delay(LOOK_MS, undefined, { signal, ref: false }).catch(() => {});
        if (signal.aborted) return;
        // The head is one read of an index; rows are read only when it moved.
        const head = (await store.audit.head())?.seq ?? 0;
        if (head > seen) {
          const rows = await store.audit.page(seen, MOST);
          seen = head;
          yield { type: 'audit' };
          yield* distinct(rows.flatMap(hintsOf));
        }
        const moved = await syncHead?.();
        if (moved !== sync) {
          sync = moved;
          yield { type: 'sync' };
        }
      }
    },
  };
}

const CONNECTION = /^(connected|disconnected|connection_)/;
const POLICY = /^(policy_saved|granted|revoked|bot_|key_issued)/;

function hintsOf({ bot, event, proposal }: AuditRow): Hint[] {
  const of = bot === null ? {} : { bot };
  if (proposal !== null) return [{ type: 'proposal', ...of, id: proposal }];
  if (CONNECTION.test(event)) return [{ type: 'connection', ...of }];
  return POLICY.test(event) ? [{ type: 'policy', ...of }] : [];
}

function distinct(hints: readonly Hint[]): Hint[] {
  return [...new Map(hints.map((hint) => [`${hint.type} ${hint.bot} ${hint.id}`, hint])).values()];
}
