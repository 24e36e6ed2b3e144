import { isOver, type Proposal } from '../domain/proposal.ts';
import { NOTICE_KINDS, type NoticeWebhook, type StandingNotice } from '../ports/notices.ts';
import type { ConnectionStatus } from '../ports/salesforce.ts';
import type { Store } from '../ports/store.ts';

/** What stands now, from what is stored here: Salesforce is asked for nothing. */

export interface StandingDeps {
  readonly store: Pick<Store, 'bots' | 'proposals'>;
  readonly statusOf: (bot: string) => Promise<ConnectionStatus>;
  readonly problemsOf: (bot: string) => Promise<readonly { readonly code: string; readonly count: number }[]>;
  /** What the last look at the whole chain of the audit found, where that was bad. */
  readonly brokenAt: () => Promise<{ readonly seq: number; readonly problem: string } | undefined>;
  readonly now: () => number;
}

const DAY_MS = 86_400_000;
const MOST_PROPOSALS = 1_000;
/** Causes that have a notice of their own, or go by themselves. */
const ELSEWHERE = new Set([
  'schema_drift',
  'webhook_failing',
  'circuit_open',
  'limit_reached',
  'rate_limited',
  'reconnect_needed',
  'salesforce_unavailable',
]);

export async function standingNotices(
  deps: StandingDeps,
  webhook: NoticeWebhook | undefined,
): Promise<readonly StandingNotice[]> {
  const bots = await deps.store.bots.list();
  const found = await Promise.all([
    ...bots.map(async ({ name }) => [
      ...ofConnection(name, await deps.statusOf(name), deps.now()),
      ...ofSync(name, await deps.problemsOf(name)),
    ]),
    waiting(deps),
    broken(deps),
  ]);
  return [...found.flat(), ...ofWebhook(webhook)].sort(
    (a, b) => LEVELS[a.level] - LEVELS[b.level] || NOTICE_KINDS.indexOf(a.kind) - NOTICE_KINDS.indexOf(b.kind),
  );
}

const LEVELS = { bad: 0, warn: 1 };

type Told = Omit<StandingNotice, 'id' | 'bot' | 'count' | 'mark'> & Partial<Pick<StandingNotice, 'count' | 'mark'>>;

const of = (bot: string | null, told: Told): StandingNotice => ({
  id: `${told.kind}:${bot ?? ''}`,
  bot,
  count: 1,
  mark: told.kind,
  ...told,
});

const pathOf = (bot: string, ...more: string[]) => `/${['bots', encodeURIComponent(bot), ...more].join('/')}`;

async function waiting({ store, now }: StandingDeps): Promise<StandingNotice[]> {
  const open = await store.proposals.list({ isOpen: true, isByExpiry: true, limit: MOST_PROPOSALS });
  const byBot = new Map<string, Proposal[]>();
  for (const proposal of open)
    if (proposal.visitor !== null || !isOver(proposal, now()))
      byBot.set(proposal.bot, [...(byBot.get(proposal.bot) ?? []), proposal]);
  return [...byBot].map(([bot, proposals]) => {
    const count = proposals.length;
    const [first] = proposals;
    const newest = Math.max(...proposals.map(({ createdAt }) => createdAt));
    const isOne = count === 1 && first !== undefined;
    return of(bot, {
      kind: 'approval_waits',
      level: 'warn',
      text: isOne ? `${first.action} of ${bot} waits for a person.` : `${count} actions of ${bot} wait for a person.`,
      count,
      until: proposals.find(({ expiresAt }) => expiresAt > now())?.expiresAt,
      cure: {
        label: 'Look',
        path: isOne ? `/approvals/${first.id}` : `/approvals?bot=${encodeURIComponent(bot)}`,
      },
      mark: String(newest),
    });
  });
}

function ofConnection(
  bot: string,
  { state, breaker, api, environment }: ConnectionStatus,
  now: number,
): StandingNotice[] {
  const found: StandingNotice[] = [];
  if (state === 'needs_reauth')
    found.push(
      of(bot, {
        kind: 'reconnect_needed',
        level: 'bad',
        // The simulated org takes every login: what ended such a connection is that the org is not here.
        text: `${bot} must be reconnected: ${environment === 'simulated' ? 'it belongs to the simulated org, which is not running here.' : 'Salesforce does not take its login any more.'}`,
        cure: { label: 'Reconnect', path: `/connect/${encodeURIComponent(bot)}` },
      }),
    );
  if (state === 'connected' && breaker?.state === 'open')
    found.push(
      of(bot, {
        kind: 'breaker_open',
        level: 'warn',
        text: `Calls of ${bot} are paused: Salesforce failed several times in a row. They are tried again by themselves.`,
        cure: { label: 'Look', path: pathOf(bot) },
      }),
    );
  const share = api === undefined || now - Date.parse(api.at) > DAY_MS ? 0 : api.used / api.max;
  if (state === 'connected' && share >= 0.8) {
    const isFull = share >= 0.95;
    found.push(
      of(bot, {
        kind: 'budget_near',
        level: isFull ? 'bad' : 'warn',
        text: `${Math.floor(share * 100)} % of the API calls of the org of ${bot} are used today: ${isFull ? 'calls are' : 'background work is'} paused.`,
        cure: { label: 'Look', path: pathOf(bot) },
        mark: isFull ? '95' : '80',
      }),
    );
  }
  return found;
}

/** What people of the sync wait for; other codes are their own words. */
const KINDS: Readonly<Record<string, string>> = {
  invalid_input: 'with a value that is missing or wrong',
  ambiguous: 'where several records could be meant',
  not_found: 'for a record that is not there',
};

function ofSync(bot: string, problems: Awaited<ReturnType<StandingDeps['problemsOf']>>): StandingNotice[] {
  const found: StandingNotice[] = [];
  const failing = problems.find(({ code }) => code === 'webhook_failing');
  if (failing !== undefined)
    found.push(
      of(bot, {
        kind: 'webhook_failing',
        level: 'warn',
        text: `The webhook of ${bot} fails; ${failing.count} ${failing.count === 1 ? 'change waits' : 'changes wait'}.`,
        count: failing.count,
        cure: { label: 'Look', path: pathOf(bot, 'sync', 'events') },
      }),
    );
  const drift = problems.find(({ code }) => code === 'schema_drift');
  if (drift !== undefined)
    found.push(
      of(bot, {
        kind: 'schema_drift',
        level: 'warn',
        text: `The org has changed under ${bot}: ${drift.count === 1 ? 'one thing does' : `${drift.count} things do`} not fit any more.`,
        count: drift.count,
        cure: { label: 'Look', path: pathOf(bot) },
        mark: String(drift.count),
      }),
    );
  const counts = new Map<string, number>();
  for (const { code, count } of problems)
    if (!ELSEWHERE.has(code)) counts.set(code, (counts.get(code) ?? 0) + Math.max(1, count));
  if (counts.size === 0) return found;
  const codes = [...counts].map(([code, count]) => `${count} ${KINDS[code] ?? code.replaceAll('_', ' ')}`).join(', ');
  const count = [...counts.values()].reduce((sum, one) => sum + one, 0);
  found.push(
    of(bot, {
      kind: 'sync_problem',
      level: 'warn',
      text: `The sync of ${bot} has ${count === 1 ? 'a problem' : `${count} problems`}: ${codes}.`,
      count,
      cure: { label: 'Look', path: pathOf(bot, 'sync') },
      mark: [...counts.keys()].sort().join(),
    }),
  );
  return found;
}

async function broken({ brokenAt }: StandingDeps): Promise<StandingNotice[]> {
  const at = await brokenAt();
  if (at === undefined) return [];
  return [
    of(null, {
      kind: 'audit_broken',
      level: 'bad',
      text: `The log does not hold at row ${at.seq}: ${at.problem}. Keep the data folder as it is, and find out who can write into the database.`,
      cure: { label: 'Look at the log', path: '/log' },
      mark: String(at.seq),
    }),
  ];
}

function ofWebhook(webhook: NoticeWebhook | undefined): StandingNotice[] {
  if (webhook === undefined || webhook.problem === null) return [];
  const isOff = webhook.state === 'off';
  return [
    of(null, {
      kind: 'webhook_failing',
      level: isOff ? 'bad' : 'warn',
      text: `The webhook of notices ${isOff ? 'is switched off' : 'fails and is tried again'}: ${webhook.problem}`,
      cure: { label: 'Look', path: '/settings/notices' },
    }),
  ];
}
