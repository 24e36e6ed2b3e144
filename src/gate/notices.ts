import type { LeaseWatch } from '../domain/lease-watch.ts';
import type { Proposal } from '../domain/proposal.ts';
import type { Log } from '../ports/log.ts';
import type { Store } from '../ports/store.ts';

/** Tells people that something waits for them. Names no person and no value: whoever reads it opens the link. */
export interface Notice {
  readonly bot: string;
  /** `undecided`: nobody decided a visitor's request in time. */
  readonly what: 'waiting' | 'undecided';
  readonly proposal: string;
  readonly action: string;
  readonly link: string;
  readonly expiresAt: number;
  /** How many of the kind there are now. */
  readonly count: number;
}

export interface Notices {
  /** Never throws: what waits, waits also where nobody could be told. */
  tell(proposal: Proposal, what: Notice['what']): Promise<void>;
  /** What was kept back within the hour. */
  catchUp(): Promise<void>;
}

export interface NoticeDeps {
  readonly store: Pick<Store, 'bots' | 'proposals' | 'values'>;
  readonly notify: (notice: Notice) => Promise<void>;
  readonly link: (id: string) => string;
  readonly newId: () => string;
  readonly now: () => number;
  readonly watch: LeaseWatch;
  readonly log: Log;
}

const HOUR_MS = 3_600_000;
const TOLD = 'notice_told';
const OWED = 'notice_owed';

export function createNotices({ store, notify, link, newId, now, watch, log }: NoticeDeps): Notices {
  const send = async (proposal: Proposal, what: Notice['what'], count: number) => {
    const { id, bot, action, expiresAt } = proposal;
    log.info(what === 'waiting' ? 'a proposal waits for a person' : 'nobody decided a request of a visitor in time', {
      bot,
      action,
      proposal: id,
      count,
    });
    await notify({ bot, what, proposal: id, action, link: link(id), expiresAt, count });
  };

  const countOf = async (bot: string, what: Notice['what']) => {
    const { received, pending, expired } = await store.proposals.countHeld(bot);
    return what === 'waiting' ? received + pending : expired;
  };

  /** Whoever gets the hour of this kind may tell. */
  const hasTurn = async (key: string) => {
    const mine = newId();
    const take = async () => store.values.setIfAbsent(TOLD, key, mine, now() + HOUR_MS, now());
    const holder = await take();
    if (holder === mine) return true;
    // An hour before our own eyes is one, whatever the clock of who told says.
    if (!watch.hasStood(`notice of ${key}`, holder, HOUR_MS)) return false;
    await store.values.consume(TOLD, key, now());
    return (await take()) === mine;
  };

  /** A crowd of visitors is one notice at once, and one an hour. */
  const folded = async (proposal: Proposal, what: Notice['what']) => {
    const key = `${proposal.bot}/${what}`;
    if (await hasTurn(key)) await send(proposal, what, await countOf(proposal.bot, what));
    else await store.values.set(OWED, key, proposal.id, null);
  };

  return {
    async tell(proposal, what) {
      const telling = (proposal.visitor === null ? send(proposal, what, 1) : folded(proposal, what)).catch((error) =>
        log.warn('nobody could be told of a proposal that waits', { proposal: proposal.id, error: String(error) }),
      );
      // The time that this takes must not tell a visitor that somebody is asked.
      if (proposal.visitor === null) await telling;
    },

    async catchUp() {
      for (const { name: bot, audience } of await store.bots.list())
        for (const what of audience === 'public' ? (['waiting', 'undecided'] as const) : []) {
          const key = `${bot}/${what}`;
          if ((await store.values.get(OWED, key, now())) === undefined || !(await hasTurn(key))) continue;
          const id = await store.values.consume(OWED, key, now());
          const proposal = id === undefined ? undefined : await store.proposals.get(id);
          const count = await countOf(bot, what);
          if (proposal !== undefined && count > 0) await send(proposal, what, count);
        }
    },
  };
}
