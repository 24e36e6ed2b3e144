import { z } from 'zod';
import type { Audit } from '../audit/audit.ts';
import { valuesOf } from '../confirm/object-values.ts';
import {
  type Action,
  type Change,
  defineAction,
  type Fields,
  type FieldValue,
  type Preview,
  type Salesforce,
  type SObject,
} from '../domain/action.ts';
import { digestOf } from '../domain/canonical-json.ts';
import { GatehouseError } from '../domain/errors.ts';
import { digestOfCall, type RecordedWrite } from '../domain/proposal.ts';
import { cleanShown, quoted } from '../domain/safe-text.ts';
import { CURRENCY_FIELD, hasCurrencies, inCurrency } from '../domain/stored-value/answers.ts';
import { DOTS } from '../policy/bounded-org.ts';
import { anotherOrg } from '../policy/judge.ts';
import { botNamed } from '../policy/permit.ts';
import type { Approvals, Call } from '../ports/gate.ts';
import type { AuditRow, Store } from '../ports/store.ts';
import { type ContextDeps, contextFor } from './call-context.ts';
import { parseArgs } from './parse-args.ts';
import { byOperators } from './prepare-run.ts';
import type { Propose } from './propose.ts';
import { createReadLog } from './read-log.ts';

/**
 * Takes a write of the gate back, as a proposal of its own, while the record still holds what was written (A6). Only operators
 * can ask for it: it is in no bot's list. What followed from the write (mails, flows, conversions) stays.
 */
export function createUndoAction(store: Pick<Store, 'audit'>, audits: Pick<Audit, 'isIntact' | 'unsealed'>): Action {
  const input = z.strictObject({ audit: z.int().min(1).describe('Number of the audit row of the write') });

  /** What that row wrote, last write first. */
  const written = async (seq: number): Promise<{ effects: readonly RecordedWrite[] }> => {
    const row = await store.audit.get(seq);
    if (row !== undefined && !audits.isIntact(row))
      throw new GatehouseError('conflict', `Audit row ${seq} is not as Gatehouse wrote it; nothing is undone by it.`, {
        next: 'Run gatehouse audit verify, and find out who can write into the database.',
      });
    const effects = row?.event === 'done' ? effectsOf(audits.unsealed(row)) : [];
    if (effects.length === 0)
      throw new GatehouseError('not_found', `Audit row ${seq} wrote nothing that can be undone.`, {
        next: 'Choose the row of a finished write (event "done"): gatehouse audit export.',
        fields: [{ name: 'audit', problem: 'is no finished write' }],
      });
    if (effects.some(({ kind }) => kind === 'invoke'))
      throw new GatehouseError('not_found', 'Code of the org ran: what it did cannot be undone from here.', {
        next: 'Look in Salesforce at what it changed, and take that back there.',
      });
    if (effects.some(({ kind }) => kind === 'remove'))
      throw new GatehouseError('not_found', 'A deletion cannot be undone from here.', {
        next: "Restore the record from the org's recycle bin.",
      });
    return { effects: [...effects].reverse() };
  };

  const read = async (effect: RecordedWrite, salesforce: Salesforce) => {
    const values = await valuesOf(salesforce, effect.object);
    const unknown = effect.kind === 'update' ? Object.keys(effect.before).filter(values.isMasked) : [];
    if (unknown.length > 0)
      throw new GatehouseError(
        'conflict',
        `What ${unknown.join(', ')} held before cannot be read: the field answers with a mask.`,
        { next: 'Nothing was undone. Correct the record by hand in Salesforce.' },
      );
    // Kept by `written`: every effect has an id.
    const described = await salesforce.describe(effect.object);
    const beside = [
      ...(hasCurrencies(described) ? [CURRENCY_FIELD] : []),
      // For the eyes of whoever decides.
      ...described.fields.flatMap(({ name }) => (name === 'Name' ? [name] : [])),
    ];
    const fields = [...new Set([...Object.keys(effect.after), 'LastModifiedDate', ...beside])];
    return salesforce.get(effect.object, effect.id!, fields);
  };

  const mustHold = async (effect: RecordedWrite, record: SObject, salesforce: Salesforce) => {
    // Policy leaves a closed field out of what is read, and dots a masked one: what the record holds is not known then.
    const closed = Object.keys(effect.after).filter((field) => !(field in record) || record[field] === DOTS);
    if (closed.length > 0) throw notCompared(effect.object, closed);
    const values = await valuesOf(salesforce, effect.object);
    const different = Object.entries(effect.after).filter(
      ([field, value]) => !values.isSame(field, record[field], value),
    );
    if (different.length === 0) return;
    throw new GatehouseError(
      'conflict',
      `The ${effect.object} no longer holds what was written: ${different.map(([field, value]) => `${field} was ${quoted(String(value))} and is ${quoted(String(record[field]))}`).join(', ')}.`,
      { next: 'Nothing was undone. Look at the record and correct it by hand if it is still wanted.' },
    );
  };

  const takeAway = async (effect: RecordedWrite, salesforce: Salesforce) => {
    const record = await read(effect, salesforce).catch((error: unknown) => {
      // Gone already: by our own request, or `remove` refuses.
      if (error instanceof GatehouseError && error.code === 'not_found') return { Id: effect.id! };
      throw error;
    });
    if ('LastModifiedDate' in record) await mustHold(effect, record, salesforce);
    await salesforce.remove(effect.object, record);
  };

  return defineAction({
    name: 'Undo',
    title: 'Undo a write',
    description: 'Takes back one write that was done through the gate. For operators.',
    permission: 'UPDATE_OPPORTUNITY',
    risk: 'destructive',
    touches: {},
    input,
    output: z.object({
      undone: z.array(z.object({ object: z.string(), id: z.string(), how: z.enum(['restored', 'deleted']) })),
    }),

    async preview({ audit }, { salesforce }): Promise<Preview> {
      const { effects } = await written(audit);
      const isOne = new Set(effects.map(({ id }) => id)).size === 1;
      const changes: Change[] = [];
      const names = new Map<string, string>();
      for (const effect of effects) {
        // What policy lets nobody write is refused before a person is asked.
        await salesforce.check(effect.object, 'update', {});
        const record = await read(effect, salesforce);
        await mustHold(effect, record, salesforce);
        if (typeof record.Name === 'string') names.set(record.Id, record.Name);
        const { fields } = await salesforce.describe(effect.object);
        for (const [field, after] of Object.entries(effect.after))
          changes.push({
            ...(isOne
              ? { field, label: field }
              : { field: `${effect.object}.${field}`, label: `${effect.object}: ${field}`, record: record.Id }),
            ...inCurrency(
              fields.find(({ name }) => name === field),
              record,
            ),
            before: after as FieldValue,
            after: (effect.before[field] ?? null) as FieldValue,
          }); // only FieldValues are recorded
      }
      const [first] = effects;
      // `written` never answers with an empty list.
      const { object, id } = first!;
      const parts = effects.map(({ kind, object: of }) =>
        kind === 'create' ? `Delete the ${of} that was created` : `Restore the ${of} as it was`,
      );
      return {
        summary: parts.join('; '),
        ...(isOne ? { target: { object, id: id!, name: names.get(id!) ?? id!, url: salesforce.recordUrl(id!) } } : {}),
        changes,
        warnings: ['Mails, flows and other automation that the write set off are not undone.'],
      };
    },

    async run({ audit }, { salesforce }) {
      const { effects } = await written(audit);
      const undone = [];
      for (const effect of effects) {
        if (effect.kind === 'create') await takeAway(effect, salesforce);
        // Compared with what was shown, unless it left before: then the record may hold the earlier values by our own doing.
        else await salesforce.update(effect.object, await read(effect, salesforce), effect.before as Fields); // as recorded before the write
        undone.push({
          object: effect.object,
          id: effect.id!,
          how: effect.kind === 'create' ? ('deleted' as const) : ('restored' as const),
        });
      }
      return { undone };
    },
  });
}

export interface UndoDeps {
  /** What takes the write back once that is approved. */
  readonly action: Action;
  readonly store: Pick<Store, 'audit' | 'bots' | 'proposals'>;
  readonly context: ContextDeps;
  readonly propose: Propose;
}

export function createUndo({ action, store, context, propose }: UndoDeps): Approvals['undo'] {
  return async (audit, by, channel = 'cli') => {
    const row = await store.audit.get(audit);
    if (row?.bot == null)
      throw new GatehouseError('not_found', `There is no audit row ${audit} of a bot.`, {
        next: 'List the rows with: gatehouse audit export.',
        fields: [{ name: 'audit', problem: 'unknown' }],
      });
    const bot = await botNamed(store, row.bot);
    const { input, args, extra } = parseArgs(byOperators(action), bot.policy, { audit });
    const c: Call = { bot: bot.name, principal: by, channel, action: action.name, args };
    const reads = createReadLog(context.now);
    const run = await contextFor(context, bot, c, extra, new AbortController().signal, reads);
    if ((await orgOfWrite(row, store)) !== run.orgId) throw anotherOrg();
    const seen = cleanShown((await action.preview?.(input, run.context)) ?? null);
    const { mode } = bot.policy;
    const isHalted = mode === 'off' || mode === 'read-only';
    // Meant: who stopped a bot wants to take back what it did.
    const inMode = `The bot is in mode ${mode}, which holds for its own calls: this undo is written once it is approved.`;
    const preview = seen && isHalted ? { ...seen, warnings: [...(seen.warnings ?? []), inMode] } : seen;
    const digest = digestOfCall(bot.name, action, args);
    const verdict = {
      decision: 'confirm',
      assurance: 'session',
      reasons: [`${by} asks to undo audit row ${audit}.`],
      asks: ['decision'],
    } as const;
    return propose(bot, action, c, {
      args,
      digest,
      dedupeKey: digestOf([digest, run.orgId]),
      preview,
      verdict,
      orgId: run.orgId,
      userId: run.userId,
      signal: new AbortController().signal,
      reads,
    });
  };
}

function notCompared(object: string, fields: readonly string[]): GatehouseError {
  const named = fields.map((field) => `${object}.${field}`).join(', ');
  return new GatehouseError(
    'permission_denied',
    `Policy closed ${named} since the write: whether the ${object} still holds what was written cannot be seen.`,
    {
      next: `Nothing was undone. Open it in the policy of the bot, under objects.${object} or objects.* (denyFields, maskFields, allowFields), and ask again; or correct the record by hand in Salesforce.`,
      fields: fields.map((name) => ({ name, problem: 'not open to this bot' })),
    },
  );
}

/** The org that a finished write went to; rows from before it was written down leave that to their proposal. */
async function orgOfWrite({ detail, proposal }: AuditRow, store: Pick<Store, 'proposals'>): Promise<string | null> {
  const { org }: { org?: string } = JSON.parse(detail); // ours, under the row's hash
  if (org !== undefined || proposal === null) return org ?? null;
  return (await store.proposals.get(proposal))?.orgId ?? null;
}

/** Recorded by `writeOnce` alone and sealed with the row, as long as retention and erasure let them live. */
function effectsOf(sealed: Readonly<Record<string, unknown>> | undefined): readonly RecordedWrite[] {
  const effects = (sealed?.effects ?? []) as readonly RecordedWrite[];
  return effects.filter(({ state, id, kind }) => state === 'done' && (id !== null || kind === 'invoke'));
}
