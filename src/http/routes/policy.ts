import { z } from 'zod';
import { holds } from '../../../permissions/catalog.ts';
import { MODES, type Policy, policySchema } from '../../../permissions/policy.ts';
import { policyChanges } from '../../../permissions/policy-changes.ts';
import { actionsOf } from '../../declared/actions-of.ts';
import { assuranceAnswer, momentAnswer } from '../../domain/answers.ts';
import { GatehouseError, isOurs } from '../../domain/errors.ts';
import { parseOrThrow } from '../../domain/validation.ts';
import { declaredWith } from '../../policy/declared.ts';
import { countIn } from '../../policy/judge.ts';
import { botNamed } from '../../policy/permit.ts';
import { replay } from '../../policy/replay.ts';
import { checkedPolicy, checkedPolicyOf, refusedPolicy, savePolicy, setMode, switchAction } from '../../policy/save.ts';
import type { Call } from '../../ports/gate.ts';
import { defineRoute } from '../../ports/route.ts';
import type { BotRow } from '../../ports/store.ts';
import { previewAnswer } from '../answers.ts';
import type { HttpDeps } from '../deps.ts';
import { revisionMeant } from '../if-match.ts';
import { isoTime } from '../iso-time.ts';
import { setter } from './by-operator.ts';

const savedAnswer = { bot: z.string(), revision: z.int(), policy: policySchema.meta({ id: 'Policy' }) };

/** A policy alone, or in what GET answers; `unwrapped` and the check read it, so that every mistake is told with its place. */
const sentPolicy = z.unknown() as z.ZodType<unknown, object>; // takes anything, so that nothing is refused before it

/** Policy of a bot: read as it stands, saved whole, every save a revision. */
export function policyRoutes(deps: HttpDeps) {
  const { store } = deps;
  return [
    defineRoute({
      method: 'GET',
      path: '/api/bots/{bot}/policy',
      summary: 'The policy and its revision (also as ETag)',
      who: ['operator'],
      permission: 'READ_INTEGRATIONS',
      answer: z.strictObject(savedAnswer),
      async handle({ params }) {
        const { name, policyRevision, policy } = await botNamed(store, params.bot);
        return {
          json: { bot: name, revision: policyRevision, policy },
          headers: { etag: `"${policyRevision}"` },
        };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/bots/{bot}/policy',
      summary:
        'Save a new revision: a policy, or what GET answered; with its revision (or If-Match) only over that one',
      who: ['operator'],
      permission: 'MANAGE_POLICY',
      body: sentPolicy,
      answer: z.strictObject({ ...savedAnswer, warnings: z.array(z.string()).optional() }),
      async handle({ params, caller, body, headers }) {
        const bot = await botNamed(store, params.bot);
        const sent = unwrapped(body, bot.name);
        const { policy, warnings, unchecked } = await checkedPolicyOf(deps, bot.name, sent.policy);
        const from = revisionMeant(headers) ?? sent.revision ?? bot.policyRevision;
        const revision = await savePolicy(deps, bot.name, { policy, unchecked, from, by: setter(caller) });
        return {
          json: { bot: bot.name, revision, policy, ...(warnings.length === 0 ? {} : { warnings }) },
          headers: { etag: `"${revision}"` },
        };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/bots/{bot}/policy/check',
      summary: 'What a save would say, without saving: every mistake, the warnings, and what it would change',
      who: ['operator'],
      permission: 'MANAGE_POLICY',
      body: sentPolicy,
      answer: z.strictObject({ ...savedAnswer, warnings: z.array(z.string()), changes }),
      async handle({ params, body }) {
        const bot = await botNamed(store, params.bot);
        const { policy, warnings } = await checkedPolicyOf(deps, bot.name, unwrapped(body, bot.name).policy);
        const revision = bot.policyRevision;
        return { json: { bot: bot.name, revision, policy, warnings, changes: policyChanges(bot.policy, policy) } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/bots/{bot}/policy/try',
      summary: 'What one call would meet and why, also under a policy that is not saved; reads what a preview reads',
      who: ['operator'],
      permission: 'MANAGE_POLICY',
      body: z.strictObject({
        action: z.string().max(80),
        args: z.unknown(),
        policy: z.unknown().optional(),
        declaration: z.unknown().optional().describe('As if the action were declared so'),
        granted: z.literal(true).optional().describe('As if the action were granted'),
      }),
      answer: z.strictObject({
        decision: z.enum(['auto', 'confirm', 'deny', 'refused']),
        assurance: assuranceAnswer.optional(),
        reasons: z.array(z.string()),
        next: z.string().optional().describe('Of a refusal'),
        preview: previewAnswer.optional().describe('Holds values of records: for READ_VALUES alone'),
      }),
      async handle({ params, caller, body, signal }) {
        const bot = await botNamed(store, params.bot);
        const { principal, channel } = setter(caller);
        const { preview, ...met } = await tryCall(deps, bot, { ...body, principal, signal });
        const shown = holds(caller.operator, 'READ_VALUES') ? (preview ?? undefined) : undefined;
        await deps.audit.record({
          ...{ bot: bot.name, principal, channel, action: body.action, event: 'tried' },
          policyRevision: bot.policyRevision,
          detail: { decision: met.decision, values: shown !== undefined },
        });
        return { json: { ...met, ...(shown === undefined ? {} : { preview: shown }) } };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/bots/{bot}/policy/replay',
      summary:
        'How the calls of the last 30 days (1,000 at most) would have been decided under this policy; needs READ_VALUES too',
      who: ['operator'],
      permission: 'MANAGE_POLICY',
      body: sentPolicy,
      answer: z.strictObject({
        since: momentAnswer,
        calls: z.int(),
        same: z.int(),
        unknown: z.strictObject({ rate: z.int(), facts: z.int(), fields: z.int() }),
        changed: z.array(z.strictObject({ from: outcome, to: outcome, count: z.int() })),
        rows: z.array(
          z.strictObject({ seq: z.int(), at: momentAnswer, action: z.string(), from: outcome, to: outcome }),
        ),
      }),
      async handle({ params, caller, body }) {
        // Thresholds that move would tell sealed values one by one.
        deps.access.require(caller.operator, 'READ_VALUES', params.bot);
        const bot = await botNamed(store, params.bot);
        const policy = checkedPolicy(unwrapped(body, bot.name).policy, actionsOf(deps.actions, bot));
        const by = setter(caller);
        if ((await countIn(deps, `replays:${by.principal}`, 1)) >= REPLAYS_AN_HOUR)
          throw new GatehouseError('rate_limited', `You replayed ${REPLAYS_AN_HOUR} policies in the past hour.`, {
            next: 'Do it again later.',
            retryable: true,
          });
        const { since, rows, ...counts } = await replay(deps, bot, policy);
        await deps.audit.record({
          ...{ ...by, bot: bot.name, action: 'policy', event: 'replayed', policyRevision: bot.policyRevision },
          detail: { calls: counts.calls },
        });
        return {
          json: { ...counts, since: isoTime(since), rows: rows.map((row) => ({ ...row, at: isoTime(row.at) })) },
        };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/bots/{bot}/policy/unused',
      summary: 'Grants, objects and listed fields that were open for 30 days and that nothing used; narrows nothing',
      who: ['operator'],
      permission: 'READ_LOGS',
      answer: unusedAnswer,
      async handle({ params }) {
        const { since, ...found } = await deps.neverUsed(await botNamed(store, params.bot));
        return { json: { ...found, since: isoTime(since) } };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/bots/{bot}/policy/revisions',
      summary: 'Who saved the policy when, newest first',
      who: ['operator'],
      permission: 'READ_INTEGRATIONS',
      query: z.strictObject({ before: z.coerce.number().int().min(1).optional() }),
      answer: z.strictObject({
        revisions: z.array(z.strictObject({ ...revisionAnswer, changed: z.int() })),
        more: z.boolean(),
      }),
      async handle({ params, query: { before = Number.MAX_SAFE_INTEGER } }) {
        const { name } = await botNamed(store, params.bot);
        const history = await store.bots.policyHistory(name);
        const older = history.filter(({ revision }) => revision < before);
        const from = Math.max(0, older.length - PAGE);
        return {
          json: {
            revisions: older
              .slice(from)
              .map((row, at) => ({
                ...headOf(row),
                changed: policyChanges(older[from + at - 1]?.policy ?? row.policy, row.policy).length,
              }))
              .reverse(),
            more: from > 0,
          },
        };
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/bots/{bot}/policy/revisions/{revision}',
      summary: 'One revision, and what it changed of the one before (or of `against`)',
      who: ['operator'],
      permission: 'READ_INTEGRATIONS',
      query: z.strictObject({ against: z.coerce.number().int().min(1).optional() }),
      answer: z.strictObject({ ...revisionAnswer, policy: savedAnswer.policy, against: z.int(), changes }),
      async handle({ params, query }) {
        const { name } = await botNamed(store, params.bot);
        const history = await store.bots.policyHistory(name);
        const found = (revision: number) => {
          const row = history.find((one) => one.revision === revision);
          if (row !== undefined) return row;
          throw new GatehouseError('not_found', `The policy of ${name} has no revision ${revision}.`, {
            next: `There are 1 to ${history.length}.`,
          });
        };
        const row = found(/^\d{1,9}$/.test(params.revision) ? Number(params.revision) : 0);
        const against = found(query.against ?? Math.max(1, row.revision - 1));
        return {
          json: {
            ...headOf(row),
            policy: row.policy,
            against: against.revision,
            changes: policyChanges(against.policy, row.policy),
          },
        };
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/bots/{bot}/mode',
      summary: 'The mode of a bot, from the next call on; wins over whoever saves at the same time',
      who: ['operator'],
      permission: 'MANAGE_POLICY',
      body: z.strictObject({ mode: z.enum(MODES) }),
      answer: z.strictObject(switchAnswer),
      async handle({ params, caller, body: { mode } }) {
        const bot = await botNamed(store, params.bot);
        return { json: switched(bot.name, await setMode(deps, bot.name, mode, setter(caller))) };
      },
    }),
    ...([true, false] as const).map((isOn) =>
      defineRoute({
        method: isOn ? 'DELETE' : 'PUT',
        path: '/api/bots/{bot}/off/{action}',
        summary: isOn ? 'Switch an action on again' : 'Switch an action off, from the next call on',
        who: ['operator'],
        permission: 'MANAGE_POLICY',
        answer: z.strictObject(switchAnswer),
        async handle({ params: { bot: name, action }, caller }) {
          const bot = await botNamed(store, name);
          return { json: switched(bot.name, await switchAction(deps, bot.name, { action, isOn }, setter(caller))) };
        },
      }),
    ),
  ];
}

const PAGE = 100;
const REPLAYS_AN_HOUR = 30;
const outcome = z.enum(['runs', 'asks', 'denied']);
const changes = z.array(
  z.strictObject({ name: z.string(), before: z.unknown().optional(), after: z.unknown().optional() }),
);
const names = z.array(z.string());
const unusedAnswer = z.strictObject({
  since: momentAnswer,
  isYoung: z.boolean().describe('The bot is younger than that: nothing is said of it'),
  rows: z.int().describe('Rows of the log that were counted'),
  grants: z.array(z.strictObject({ permission: z.string(), actions: names })),
  places: z.array(
    z.strictObject({
      object: z.string(),
      what: z.enum(['object', 'write', 'fields']).describe('Never read nor written, never written, or listed fields'),
      fields: names,
      changes,
    }),
  ),
  open: z
    .array(z.strictObject({ object: z.string(), used: names }))
    .describe('Objects without a list of fields, and the fields that were used'),
  unknown: z
    .strictObject({
      young: names.describe('Granted or opened less than 30 days ago'),
      paths: names.describe('Relationships of a mapping that may lead to any object'),
      fields: names.describe('Possible lookups of queries that are not kept any more'),
    })
    .describe('What cannot be judged'),
});
const revisionAnswer = { revision: z.int(), at: momentAnswer, by: z.string() };
const switchAnswer = { bot: z.string(), mode: z.enum(MODES), off: z.array(z.string()), revision: z.int() };

const headOf = ({ revision, at, by }: { revision: number; at: number; by: string }) => ({
  revision,
  at: isoTime(at),
  by,
});

function switched(bot: string, { revision, policy }: { readonly revision: number; readonly policy: Policy }) {
  return { bot, mode: policy.mode, off: policy.off, revision };
}

/** A refusal is an answer here: it is what the bot would be told. */
async function tryCall(
  deps: HttpDeps,
  stored: BotRow,
  call: Pick<Call, 'action' | 'args' | 'principal' | 'signal'> & {
    policy?: unknown;
    declaration?: unknown;
    granted?: true | undefined;
  },
) {
  const { gate, actions: inCode } = deps;
  const { action, args, principal, signal } = call;
  const declared =
    call.declaration === undefined ? {} : { declared: await declaredWith(deps, stored, action, call.declaration) };
  const bot = { ...stored, ...declared };
  const actions = actionsOf(inCode, bot);
  const permission = actions.find(({ name }) => name === action)?.permission;
  const as = {
    ...declared,
    ...(call.policy === undefined ? {} : { policy: checkedPolicy(call.policy, actions) }),
    ...(call.granted && permission !== undefined ? { grants: [...bot.grants, permission] } : {}),
  };
  try {
    const met = await gate.dryRun({ bot: bot.name, principal, channel: 'rest', action, args, signal }, as);
    const { decision, assurance, reasons, preview } = met;
    return { decision, assurance, reasons, preview };
  } catch (error) {
    if (!(error instanceof GatehouseError) || isOurs(error)) throw error;
    const fields = (error.fields ?? []).map(({ name, problem }) => `${name} ${problem}.`);
    return { decision: 'refused' as const, reasons: [error.message, ...fields], next: error.next, preview: null };
  }
}

/** A policy alone, or in what GET answers: no policy has a key `policy`. */
function unwrapped(body: unknown, bot: string): { readonly policy: unknown; readonly revision?: number | undefined } {
  if (typeof body !== 'object' || body === null || Object.keys(body).length === 0)
    throw refusedPolicy([{ name: '(top)', problem: 'is no policy; an empty one would reset everything' }]);
  return 'policy' in body
    ? parseOrThrow(
        z.strictObject({
          policy: z.unknown(),
          revision: z.int().min(1).optional(),
          warnings: z.unknown().optional(),
          bot: z.literal(bot, `is another bot than ${bot}`).optional(),
        }),
        body,
        { what: 'The request', whole: '(body)' },
      )
    : { policy: body };
}
