import { decideCall, type Facts, fieldNames, type Verdict } from '../../permissions/decide.ts';
import { fieldSet, shownAs, taggedFields } from '../../permissions/field-access.ts';
import type { ActionPolicy } from '../../permissions/policy.ts';
import type { Action, Answered, Preview } from '../domain/action.ts';
import { GatehouseError } from '../domain/errors.ts';
import type { Proposal } from '../domain/proposal.ts';
import type { BotRow, Store } from '../ports/store.ts';
import type { Permitted } from './permit.ts';

/** Decide: the facts of one call, gathered for the pure `decideCall`. */

export interface JudgeDeps {
  readonly store: Pick<Store, 'counters'>;
  readonly now: () => number;
}

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** Counts a run, for rules by the hour. Answers how many came before it. */
export function countRun(deps: JudgeDeps, bot: BotRow, action: Action): Promise<number> {
  return countIn(deps, runsOf(bot, action), 1);
}

/** The same where nobody asks how many there were; -1 gives one back that did not run by itself. */
export async function noteRun({ store, now }: JudgeDeps, bot: BotRow, action: Action, by: 1 | -1 = 1): Promise<void> {
  await store.counters.add(runsOf(bot, action), minuteOf(now()), by);
}

const runsOf = (bot: BotRow, action: Action) => `runs:${bot.name}:${action.name}`;
const minuteOf = (at: number) => Math.floor(at / MINUTE_MS) * MINUTE_MS;

/** Adds to what is counted under this key, and answers how many the past hour had before. */
export async function countIn({ store, now }: JudgeDeps, key: string, by: 0 | 1 | -1): Promise<number> {
  const minute = minuteOf(now());
  // The counter's new value is this call's place in the minute, also among calls at the same moment.
  const place = await store.counters.add(key, minute, by);
  return place - 1 + (await store.counters.sum(key, now() - HOUR_MS, minute));
}

/** Whether the policy of an action looks at how often it ran. */
export function hasRate({ rules }: ActionPolicy): boolean {
  return rules.some((rule) => rule.if.runsThisHourAtLeast !== undefined);
}

export function judge(
  bot: BotRow,
  { action, actionPolicy }: Permitted,
  preview: Preview | null,
  environment: Facts['environment'],
  /** Runs of the past hour before this one, where the policy looks at them. */
  runsThisHour = 0,
  visitor: Proposal['visitor'] = null,
): Verdict {
  const changes = preview?.changes ?? [];
  const { objects } = bot.policy;
  const tagged = fieldSet(taggedFields(objects, 'sensitiveFields'));
  const isSensitive = (name: string) => {
    const [object, field] = split(name);
    // Where the object is not known yet, a field of that name on any object counts.
    return object === '*' ? Object.keys(objects).some((one) => tagged.has(one, field)) : tagged.has(object, field);
  };
  const changed = preview === null ? [] : namesChanged(action, preview);
  // An action without a preview may read any sensitive field, so a rule about these must fire for it.
  const touched =
    action.preview === undefined
      ? Object.entries(objects).flatMap(([object, rules]) => rules.sensitiveFields.map((field) => `${object}.${field}`))
      : [...changed, ...(preview?.query?.fields ?? [])];
  const isChanged = new Set(changed);
  const sensitive = touched.filter(
    (name) =>
      isSensitive(name) ||
      (isChanged.has(name) && shownAs(...split(name)).some((shown) => isSensitive(`${shown.object}.${shown.field}`))),
  );
  const verdict = decideCall({ action, actionPolicy }, bot, {
    changes,
    sensitive,
    ...(preview?.query === undefined ? {} : { queryClass: preview.query.class, queryReasons: preview.query.reasons }),
    duplicates: preview?.choices?.filter(({ id }) => id.startsWith('use:')).length ?? 0,
    warnings: preview?.warnings?.length ?? 0,
    runsThisHour: visitor?.requests ?? runsThisHour,
    ...(visitor === null ? {} : { visitorRunsThisHour: visitor.ownRequests }),
    environment,
  });
  return isAnswered(verdict, preview?.query?.answered) ? { ...verdict, decision: 'auto' } : verdict;
}

/** What `judge` looks at in a preview, and no more of it: to be kept sealed. */
export function factsOf({ changes, target, choices = [], warnings = [], query }: Preview): Preview {
  return {
    summary: '',
    changes,
    ...(target === undefined ? {} : { target: { object: target.object, id: '', name: '', url: '' } }),
    choices: choices.map(({ id }) => ({ id, label: '' })),
    warnings: warnings.map(() => ''),
    ...(query === undefined ? {} : { query: { ...query, send: '' } }),
  };
}

/** The object of a write; `*` where it is not known yet. */
export function changedObject(action: Action, preview: Preview): string {
  return preview.target?.object ?? action.exposes ?? '*';
}

/** What a write changes, as `Object.Field`. */
export function namesChanged(action: Action, preview: Preview): string[] {
  const object = changedObject(action, preview);
  return preview.changes.flatMap(({ field }) =>
    fieldNames(field).map((name) => (name.includes('.') ? name : `${object}.${name}`)),
  );
}

/** A further page is judged like the first one; where the same was asked and answered then, nobody is asked again. */
function isAnswered({ decision, assurance, asks }: Verdict, answered: Answered | undefined): boolean {
  if (decision !== 'confirm' || answered === undefined) return false;
  return (
    (assurance === 'client' || answered.assurance === 'session') && asks.every((ask) => answered.asks.includes(ask))
  );
}

export function anotherOrg(): GatehouseError {
  return new GatehouseError(
    'conflict',
    'The bot is connected to another org since; this was asked for the one before.',
    {
      next: 'Nothing was written. Let the bot propose it anew, if it is still wanted in the org of now.',
    },
  );
}

export function denied(action: Action, { reasons: [first, ...more] }: Verdict): GatehouseError {
  return new GatehouseError('permission_denied', first ?? `Policy denies ${action.name}.`, {
    next: `Tell the user that the policy of this bot does not allow it${more.length > 0 ? `: ${more.join(' ')}` : '.'} An operator finds the rule under actions.${action.name}.`,
  });
}

function split(name: string): [object: string, field: string] {
  const [object = '', field = ''] = name.split('.');
  return [object, field];
}
