import { decideCall, type Facts, type Verdict } from '../permissions/decide.ts';
import type { Action, Preview } from './action.ts';
import type { BotRow, Store } from './store/store.ts';

/** Decide: the facts of one call, gathered for the pure `decideCall`. */

export interface JudgeDeps {
  readonly store: Pick<Store, 'counters'>;
  readonly now: () => number;
}

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

const runsKey = (bot: BotRow, action: Action) => `runs:${bot.name}:${action.name}`;

/** Counts a run, for rules by the hour. */
export async function countRun({ store, now }: JudgeDeps, bot: BotRow, action: Action): Promise<void> {
  await store.counters.add(runsKey(bot, action), Math.floor(now() / MINUTE_MS) * MINUTE_MS, 1);
}

export async function judge(
  { store, now }: JudgeDeps,
  bot: BotRow,
  action: Action,
  preview: Preview | null,
  environment: Facts['environment'],
): Promise<Verdict> {
  const changes = preview?.changes ?? [];
  const touched = [
    ...changes.map(({ field }) => `${preview?.target?.object ?? action.exposes ?? ''}.${field}`),
    ...(preview?.query?.fields ?? []),
  ];
  const sensitive = touched.filter((name) => {
    const [object = '', field = ''] = name.split('.');
    const { objects } = bot.policy;
    return objects[object]?.sensitiveFields.includes(field) || objects['*']?.sensitiveFields.includes(field);
  });
  const counts = bot.policy.actions[action.name]?.rules.some((rule) => rule.if.runsThisHourAtLeast !== undefined);
  return decideCall(bot.policy, action, bot.audience, {
    changes,
    sensitive,
    ...(preview?.query === undefined ? {} : { queryClass: preview.query.class, queryReasons: preview.query.reasons }),
    duplicates: preview?.choices?.filter(({ id }) => id.startsWith('use:')).length ?? 0,
    runsThisHour: counts ? await store.counters.sum(runsKey(bot, action), now() - HOUR_MS) : 0,
    environment,
  });
}
