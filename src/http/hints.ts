import { setTimeout as delay } from 'node:timers/promises';
import { isWithin, type Rights } from '../../permissions/catalog.ts';
import type { Access, BrowserSession } from '../ports/access.ts';
import type { AuditRow, Store } from '../ports/store.ts';
import type { HttpDeps } from './deps.ts';

/**
 * Hints that something changed, for pages that are open: never data, so that a lost one costs nothing. Taken from the audit,
 * which every process writes: the same on SQLite and PostgreSQL and across processes. One look a second serves everybody who
 * listens at this process, and nobody looks while nobody listens.
 */
export interface Hint {
  readonly type: 'proposal' | 'connection' | 'sync' | 'audit' | 'policy';
  readonly bot?: string;
  readonly id?: string;
}

export interface HintsDeps {
  readonly store: { readonly audit: Pick<Store['audit'], 'head' | 'page'> };
  readonly access: Pick<Access, 'signedIn'>;
  readonly syncHead?: HttpDeps['syncHead'];
  /** Between two looks; default: in real time, and keeps no process alive. */
  readonly wait?: (ms: number) => Promise<unknown>;
}

const LOOK_MS = 1_000;
/** Whoever is signed out is so by an audit row; what ends without one is seen by every so many looks. */
const LOOKS_TO_SESSIONS = 10;
/** More than that at once is one hint to look anew. */
const MOST = 50;
/** Hints that wait for a slow reader. Its page looks at everything when it comes again, which is less work than these. */
const MOST_WAITING = 200;

export interface Hints {
  /** From now on, until aborted, signed out or of another role. */
  listen(session: Listener, signal: AbortSignal): AsyncGenerator<Hint>;
}

export type Listener = Pick<BrowserSession, 'id' | 'role' | keyof Rights>;

interface Listening {
  readonly session: Listener;
  readonly waiting: Map<string, Hint>;
  isOver: boolean;
  wake(): void;
}

export function createHints({ store, access, syncHead, wait = inBackground }: HintsDeps): Hints {
  const everybody = new Set<Listening>();
  let isLooking = false;

  const end = (one: Listening) => {
    one.isOver = true;
    one.wake();
  };

  async function endOfSessions(): Promise<void> {
    const known = await access.signedIn([...new Set([...everybody].map(({ session }) => session.id))]);
    for (const one of everybody) {
      const now = known.get(one.session.id);
      if (now === undefined || markOf(now) !== markOf(one.session)) end(one);
    }
  }

  function tell(hints: readonly Hint[]): void {
    for (const one of everybody) {
      for (const hint of hints)
        if (hint.bot === undefined || isWithin(one.session, hint.bot)) one.waiting.set(keyOf(hint), hint);
      if (one.waiting.size > MOST_WAITING) end(one);
      else one.wake();
    }
  }

  async function look(): Promise<void> {
    let seen: number | undefined;
    let sync: string | undefined;
    for (let looks = 0; ; looks += 1) {
      try {
        // The head is one read of an index; rows are read only when it moved.
        const head = (await store.audit.head())?.seq ?? 0;
        const moved = await syncHead?.();
        const before = seen ?? head;
        if (head > before || looks % LOOKS_TO_SESSIONS === LOOKS_TO_SESSIONS - 1) await endOfSessions();
        const rows = head > before ? await store.audit.page(before, MOST) : [];
        if (head > before) tell([{ type: 'audit' }, ...rows.flatMap(hintsOf)]);
        if (seen !== undefined && moved !== sync) tell([{ type: 'sync' }]);
        seen = head;
        sync = moved;
      } catch {
        // The database is away: nothing is told meanwhile, and /readyz says so.
      }
      await wait(LOOK_MS);
      if (everybody.size === 0) {
        isLooking = false;
        return;
      }
    }
  }

  return {
    async *listen(session, signal) {
      const own: Listening = { session, waiting: new Map(), isOver: signal.aborted, wake() {} };
      const leave = () => end(own);
      signal.addEventListener('abort', leave, { once: true });
      everybody.add(own);
      if (!isLooking) {
        isLooking = true;
        void look();
      }
      try {
        while (!own.isOver) {
          const [next] = own.waiting;
          if (next === undefined) {
            await new Promise<void>((resolve) => {
              own.wake = resolve;
            });
            continue;
          }
          own.waiting.delete(next[0]);
          yield next[1];
        }
      } finally {
        everybody.delete(own);
        signal.removeEventListener('abort', leave);
      }
    },
  };
}

const inBackground = (ms: number) => delay(ms, undefined, { ref: false });

const CONNECTION = /^(connected|disconnected|connection_)/;
const POLICY = /^(policy_saved|granted|revoked|action_|bot_|key_issued)/;

function hintsOf({ bot, event, proposal }: AuditRow): Hint[] {
  const of = bot === null ? {} : { bot };
  if (proposal !== null) return [{ type: 'proposal', ...of, id: proposal }];
  if (CONNECTION.test(event)) return [{ type: 'connection', ...of }];
  return POLICY.test(event) ? [{ type: 'policy', ...of }] : [];
}

/** Another set of permissions is another role, also under the same name. */
const markOf = ({ role, permissions, bots }: Omit<Listener, 'id'>) => JSON.stringify([role, permissions, bots]);

/** Of the same hint twice one is enough. */
const keyOf = ({ type, bot, id }: Hint) => `${type} ${bot} ${id}`;
