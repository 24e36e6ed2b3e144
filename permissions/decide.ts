import { shownAs } from './field-access.ts';
import type { ActionPolicy, Policy, PolicyCondition, Touches } from './policy.ts';
import type { Audience } from './profiles.ts';

/** What a call meets: pure, so that a dry run and the road itself cannot differ. */

export interface Facts {
  readonly changes: readonly {
    readonly field: string;
    readonly before: unknown;
    readonly after: unknown;
    readonly currency?: string;
  }[];
  /** `Object.Field` of everything queried or changed that is tagged sensitive. */
  readonly sensitive: readonly string[];
  readonly queryClass?: 'trivial' | 'non-trivial';
  readonly queryReasons?: readonly string[];
  readonly duplicates: number;
  /** Values that the org would store although they look wrong, e.g. an unlisted picklist value. */
  readonly warnings: number;
  readonly runsThisHour: number;
  /** Requests of one visitor; undefined where no visitor asks. */
  readonly visitorRunsThisHour?: number;
  readonly environment: 'production' | 'sandbox' | 'simulated';
}

export interface Verdict {
  readonly decision: 'auto' | 'confirm' | 'deny';
  readonly assurance: 'client' | 'session';
  /** Why, one sentence each, for the human who is asked. */
  readonly reasons: readonly string[];
  /** What asks for a person: `decision`, `mode`, or the conditions of a rule. Whoever answered these has answered the question. */
  readonly asks: readonly string[];
  /** Set where a no in a client's form leaves it to a signed-in person. */
  readonly clientDecline?: 'waits';
}

/** What policy says to an action. One that it does not name, such as one that came later, asks a person whatever its risk. */
export function policyFor(policy: Policy, action: string): ActionPolicy {
  return (Object.hasOwn(policy.actions, action) ? policy.actions[action] : undefined) ?? UNNAMED;
}

const UNNAMED: ActionPolicy = { decision: 'confirm', assurance: 'client', rules: [], autoFields: [], expose: [] };

/** Whether `decideCall` needs the preview, that is: whether anything but a plain yes or no can come out. */
export function needsFacts(actionPolicy: ActionPolicy, policy: Pick<Policy, 'mode'>): boolean {
  return actionPolicy.decision === 'confirm' || actionPolicy.rules.length > 0 || policy.mode === 'ask';
}

const HOUR_MINUTES = 60;
const DAY_MINUTES = 24 * HOUR_MINUTES;

/** How long a proposal waits for a person, in minutes. Whoever must sign in first needs longer; a visitor was promised an answer. */
export function minutesToDecide(
  policy: Policy,
  action: string,
  { assurance, isReceipt = false }: { readonly assurance: Verdict['assurance']; readonly isReceipt?: boolean },
): number {
  const { expiresMinutes } = policyFor(policy, action);
  if (expiresMinutes !== undefined) return expiresMinutes;
  if (isReceipt) return 7 * DAY_MINUTES;
  return policy.proposals.expiresMinutes ?? (assurance === 'client' ? HOUR_MINUTES : DAY_MINUTES);
}

/** What of an action says which conditions can ever hold for it. */
export interface Answering {
  readonly name: string;
  readonly touches?: Touches;
  readonly receipt?: unknown;
}

/** The conditions of a rule that can never hold for this action: it has nothing that they look at. */
export function unanswered(condition: PolicyCondition, action: Answering): readonly (keyof PolicyCondition)[] {
  const { touches } = action;
  if (touches === undefined) return [];
  // The keys of a parsed condition are exactly those of PolicyCondition.
  const keys = Object.keys(condition) as (keyof PolicyCondition)[];
  return keys.filter((key) => !ANSWERS[key](touches, action));
}

const RANK = { auto: 0, confirm: 1, deny: 2 } as const;

/** One call of a bot: `policy` is the bot's, `actionPolicy` what it says to this action. */
export function decideCall(
  {
    action,
    actionPolicy,
  }: {
    readonly action: Answering & {
      readonly risk: 'read' | 'write' | 'destructive';
      readonly alwaysAsks?: boolean;
    };
    readonly actionPolicy: ActionPolicy;
  },
  { policy, audience }: { readonly policy: Pick<Policy, 'mode'>; readonly audience: Audience },
  facts: Facts,
): Verdict {
  if (actionPolicy.decision === 'never' || actionPolicy.decision === 'deny')
    return {
      decision: 'deny',
      assurance: 'session',
      reasons: [`Policy denies ${action.name} for this bot.`],
      asks: [],
    };

  const fired = actionPolicy.rules.filter((rule) => holds(rule.if, facts));
  // Saved before such rules were refused: nobody knows what they were to stop, so that a person looks.
  const idle = actionPolicy.rules.flatMap((rule) => (rule.then === 'auto' ? [] : unanswered(rule.if, action)));
  const reasonsOf = (then: 'confirm' | 'deny') =>
    fired.filter((rule) => rule.then === then).flatMap((rule) => explain(rule.if, facts));
  const isLowRisk =
    actionPolicy.autoFields.length > 0 &&
    facts.changes.length > 0 &&
    facts.changes.every(({ field }) => fieldNames(field).every((name) => isAmong(actionPolicy.autoFields, name)));

  let decision: Verdict['decision'] = isLowRisk ? 'auto' : actionPolicy.decision;
  const asks = fired.filter((rule) => rule.then === 'confirm').map((rule) => Object.keys(rule.if).sort().join('+'));
  const reasons = reasonsOf('confirm');
  if (decision === 'confirm') {
    asks.unshift('decision');
    reasons.unshift(
      actionPolicy === UNNAMED
        ? `The policy of this bot does not name ${action.name}, so a person is asked.`
        : `${action.name} is confirmed by a person.`,
    );
  }
  if (idle.length > 0 && decision === 'auto') {
    decision = 'confirm';
    asks.unshift('idle');
    reasons.unshift(
      `A rule of the policy looks at ${idle.join(', ')}, which ${action.name} does not have: a person is asked until it is corrected.`,
    );
  }
  if (action.alwaysAsks === true && decision === 'auto') {
    decision = 'confirm';
    asks.unshift('code');
    reasons.unshift(`${action.name} runs code of the org, which no policy bounds: a person is asked every time.`);
  }
  for (const rule of fired) if (RANK[rule.then] > RANK[decision]) decision = rule.then;
  if (policy.mode === 'ask' && action.risk !== 'read' && decision === 'auto') {
    decision = 'confirm';
    asks.unshift('mode');
    reasons.unshift('This bot is in the mode "ask": every write waits for a person.');
  }

  const strict =
    audience === 'public' || actionPolicy.assurance === 'session' || fired.some((rule) => rule.assurance === 'session');
  const isDenied = decision === 'deny';
  const waits = [actionPolicy, ...fired].some(({ clientDecline }) => clientDecline === 'waits');
  return {
    decision,
    assurance: strict ? 'session' : 'client',
    // No person is asked about what is denied: the rule that denies it says why.
    reasons: isDenied ? reasonsOf('deny') : reasons,
    asks: isDenied ? [] : asks,
    ...(waits ? { clientDecline: 'waits' } : {}),
  };
}

/** A change of sync may write several fields (`FirstName+LastName`) or those of another record (`Contact.Email`). */
export function fieldNames(field: string): readonly string[] {
  return field.split('+');
}

/** API names, stages and whatever else people write down: Salesforce does not mind their case, so nobody here does. */
function isAmong(names: readonly string[], name: string): boolean {
  return names.some((one) => one.trim().toLowerCase() === name.trim().toLowerCase());
}

/** Several, where several records are written together. */
function changesOf({ changes }: Facts, field: string): Facts['changes'] {
  return changes.filter((change) =>
    fieldNames(change.field).some((name) => isAmong([field], name.split('.').at(-1) ?? '')),
  );
}

function holds(c: PolicyCondition, facts: Facts): boolean {
  return Object.keys(c).every((key) => CHECKS[key as keyof PolicyCondition](c, facts) !== undefined);
}

function explain(c: PolicyCondition, facts: Facts): string[] {
  // The keys of a parsed condition are exactly those of PolicyCondition.
  return Object.keys(c).flatMap((key) => CHECKS[key as keyof PolicyCondition](c, facts) ?? []);
}

/** Each answers with its reason when it holds, undefined when not. One row per condition key: the type says none is missing. */
export const CHECKS: {
  readonly [K in keyof Required<PolicyCondition>]: (c: PolicyCondition, f: Facts) => string | undefined;
} = {
  amountAbove: (c, f) => {
    const isAbove = changesOf(f, 'Amount').some(({ after }) => typeof after === 'number' && after > c.amountAbove!);
    return isAbove ? `The amount is above ${c.amountAbove}${currencyOf(f)}.` : undefined;
  },
  amountChangeAbove: (c, f) => {
    const isAbove = changesOf(f, 'Amount').some(
      ({ before, after }) => Math.abs(Number(after ?? 0) - Number(before ?? 0)) > c.amountChangeAbove!,
    );
    return isAbove ? `The amount changes by more than ${c.amountChangeAbove}${currencyOf(f)}.` : undefined;
  },
  stageIn: (c, f) => {
    const stage = changesOf(f, 'StageName')
      .map(({ after }) => after)
      .find((after) => typeof after === 'string' && isAmong(c.stageIn!, after));
    return stage === undefined ? undefined : `The stage becomes ${stage}.`;
  },
  closeDateShiftDaysAbove: (c, f) => {
    const isLarge = changesOf(f, 'CloseDate').some(({ before, after }) => {
      const days = Math.abs(Date.parse(String(after)) - Date.parse(String(before))) / 86_400_000;
      // An unreadable date counts as a large shift: fail closed.
      return Number.isNaN(days) || days > c.closeDateShiftDaysAbove!;
    });
    return isLarge ? `The close date moves by more than ${c.closeDateShiftDaysAbove} days.` : undefined;
  },
  fieldIn: (c, f) => {
    // Who changes LastName changes Name, who moves the stage its probability, and who sets Account.Name the AccountId.
    const isNamed = (name: string) =>
      name.split('.').some((part) => shownAs('*', part).some(({ field }) => isAmong(c.fieldIn!, field)));
    const hit = f.changes.filter(({ field }) => fieldNames(field).some(isNamed)).map(({ field }) => field);
    return hit.length > 0 ? `It changes ${hit.join(', ')}.` : undefined;
  },
  sensitive: (_, f) => (f.sensitive.length > 0 ? `It touches sensitive fields: ${f.sensitive.join(', ')}.` : undefined),
  queryClass: (c, f) => {
    if (f.queryClass !== c.queryClass) return undefined;
    const why = (f.queryReasons ?? []).map((reason) => reason.replace(/\.$/, '')).join('; ');
    return `The query is ${f.queryClass}${why === '' ? '' : `: ${why}`}.`;
  },
  duplicates: (_, f) => (f.duplicates > 0 ? `${f.duplicates} look-alike record(s) already exist.` : undefined),
  warnings: (_, f) => (f.warnings > 0 ? 'A value looks wrong; see the warnings.' : undefined),
  runsThisHourAtLeast: (c, f) =>
    f.runsThisHour >= c.runsThisHourAtLeast! ? `It already ran ${f.runsThisHour} times in the past hour.` : undefined,
  visitorRunsThisHourAtLeast: (c, f) =>
    (f.visitorRunsThisHour ?? -1) >= c.visitorRunsThisHourAtLeast!
      ? `This visitor sent ${f.visitorRunsThisHour} requests in the past hour.`
      : undefined,
  environment: (c, f) => (f.environment === c.environment ? `The org is ${f.environment}.` : undefined),
};

const writes = ({ creates = [], edits = [], deletes = [], mapped = false }: Touches) =>
  mapped || creates.length + edits.length + deletes.length > 0;
const writesDeals = ({ creates = [], edits = [], mapped = false }: Touches) =>
  mapped || [...creates, ...edits].includes('Opportunity');

/** Which action has what a condition looks at. One row per condition key, like `CHECKS`. */
const ANSWERS: {
  readonly [K in keyof Required<PolicyCondition>]: (touches: Touches, action: Answering) => boolean;
} = {
  amountAbove: writesDeals,
  amountChangeAbove: writesDeals,
  stageIn: writesDeals,
  closeDateShiftDaysAbove: writesDeals,
  fieldIn: writes,
  sensitive: () => true,
  queryClass: ({ reads = [] }) => reads.includes('*'),
  duplicates: ({ creates = [], mapped = false }) => creates.length > 0 && !mapped,
  warnings: writes,
  runsThisHourAtLeast: () => true,
  visitorRunsThisHourAtLeast: (_, { receipt }) => receipt !== undefined,
  environment: () => true,
};

/** Thresholds are in the record's own currency: said where the org has several. */
function currencyOf({ changes }: Facts): string {
  const currency = changes.find(({ field }) => field === 'Amount')?.currency;
  return currency === undefined ? '' : ` ${currency}`;
}
