import type { Policy } from '../../permissions/policy.ts';
import { shownRecord } from '../../permissions/shown-record.ts';
import type { Audit } from '../audit/audit.ts';
import { toEnvelope } from '../confirm/view.ts';
import { actionsOf } from '../declared/actions-of.ts';
import type { Action, Preview } from '../domain/action.ts';
import { GatehouseError } from '../domain/errors.ts';
import { isRecord } from '../domain/is-record.ts';
import { callerOf, type Envelope, type Proposal, summaryOf } from '../domain/proposal.ts';
import { isSameReader, readAs } from '../domain/read-as.ts';
import { anotherOrg, changedObject, denied, judge, namesChanged } from '../policy/judge.ts';
import { botNamed, type Permitted, permitted } from '../policy/permit.ts';
import type { Viewer } from '../ports/gate.ts';
import type { BotRow, Store } from '../ports/store.ts';
import { type ContextDeps, contextFor } from './call-context.ts';
import { createReadLog } from './read-log.ts';

/**
 * What was stored for a bot, as it may be told now: judged like a fresh call by grant, policy, org and Salesforce user of now. Rows that a fresh
 * call would not get are refused; of a write is told how it went, and nothing of the record.
 */
export type Deliver = (proposal: Proposal, viewer: Viewer) => Promise<Envelope>;

/** What of it policy lets be seen now; `shut` says why nothing of it. */
export type StoredNow = (
  proposal: Proposal,
) => Promise<{ readonly bot: BotRow; readonly told: Proposal; readonly shut: GatehouseError | undefined }>;

export interface StoredNowDeps {
  readonly actions: readonly Action[];
  readonly store: Pick<Store, 'bots' | 'connections'>;
  readonly context: ContextDeps;
}

export interface DeliverDeps {
  readonly actions: readonly Action[];
  readonly storedNow: StoredNow;
  readonly audit: Pick<Audit, 'record'>;
  readonly link: (id: string) => string;
}

export function createStoredNow({ actions, store, context }: StoredNowDeps): StoredNow {
  /** Why its contents are not for this bot any more; undefined where they are. */
  async function whyShut(bot: BotRow, proposal: Proposal): Promise<GatehouseError | undefined> {
    try {
      await mustBeOpen(bot, proposal);
      return undefined;
    } catch (error) {
      if (error instanceof GatehouseError) return error;
      throw error;
    }
  }

  async function mustBeOpen(bot: BotRow, proposal: Proposal): Promise<void> {
    const { preview, visitor } = proposal;
    const permit = permitted(actions, bot, proposal.action);
    const { action } = permit;
    const connection = await store.connections.get(bot.name);
    if (proposal.orgId !== null && connection?.orgId !== proposal.orgId) throw anotherOrg();
    if (connection?.state === 'disconnected' && action.risk === 'read') throw leftOrg();
    if (proposal.orgId !== null && hasRead(proposal) && !isSameReader(proposal, readAs(connection)))
      throw anotherUser(action);
    const verdict = judge(bot, permit, preview, connection?.environment ?? 'production', 0, visitor);
    if (verdict.decision === 'deny') throw denied(action, verdict);
    if (proposal.policyRevision === bot.policyRevision) return;
    if (action.risk !== 'read') return mustShow(bot, action, preview);
    if (preview?.query !== undefined) return mustQuery(bot, permit, proposal, preview);
    if (proposal.result !== null || proposal.error !== null) throw readBefore(action);
  }

  /** The guard of now, and what policy says to what it finds. A budget that is spent was spent for these rows, too. */
  async function mustQuery(bot: BotRow, permit: Permitted, proposal: Proposal, preview: Preview): Promise<void> {
    const signal = AbortSignal.timeout(context.requestTimeoutMs);
    const run = await contextFor(context, bot, callerOf(proposal), {}, signal, createReadLog(context.now));
    const query = await run.context.soql.judge(preview.query?.send ?? '', 'concise').catch((error: unknown) => {
      if (!(error instanceof GatehouseError && error.code === 'rate_limited')) throw error;
    });
    if (query === undefined) return;
    const verdict = judge(bot, permit, { ...preview, query }, run.environment, 0, proposal.visitor);
    if (verdict.decision === 'deny') throw denied(permit.action, verdict);
  }

  return async (proposal) => {
    const bot = await botNamed(store, proposal.bot);
    return { bot, told: withinLimits(proposal, bot.policy.soql), shut: await whyShut(bot, proposal) };
  };
}

export function createDeliver({ actions, storedNow, audit, link }: DeliverDeps): Deliver {
  return async (proposal, viewer) => {
    const { bot, told, shut } = await storedNow(proposal);
    const action = actionsOf(actions, bot).find(({ name }) => name === proposal.action);
    const isRead = action?.risk === 'read' && (proposal.result !== null || proposal.state === 'failed');
    // Whoever asked was told what waits, and the row of that stands: this is for rows, and for another of the bot's keys.
    if (isRead || (shut === undefined && proposal.principal !== viewer.principal))
      await audit.record({
        bot: bot.name,
        principal: viewer.principal,
        channel: viewer.channel ?? 'rest',
        action: proposal.action,
        proposal: proposal.id,
        digest: proposal.digest,
        policyRevision: bot.policyRevision,
        event: shut === undefined ? 'told' : 'refused',
        decision: shut === undefined ? null : 'refused',
        ...readOf(told, shut),
      });
    if (shut === undefined) return toEnvelope(told, link(proposal.id));
    if (isRead) throw shut;
    return bare(proposal, shut, link(proposal.id));
  };
}

/** A write is stored with what its preview read: fields, the record's name, look-alikes. */
function mustShow({ policy }: BotRow, action: Action, preview: Preview | null): void {
  if (preview === null) return;
  const named = namesChanged(action, preview);
  const object = changedObject(action, preview);
  if (preview.target !== undefined) named.push(`${object}.Name`);
  if (preview.choices !== undefined)
    named.push(...(action.touches.reads ?? []).flatMap((one) => [`${one}.Name`, `${one}.Email`]));
  for (const name of named) {
    const [of = '', field = ''] = name.split('.');
    // Where it is not known whose they are, people's rules count.
    const person = of.toLowerCase() === 'account' ? { IsPersonAccount: true } : {};
    if (shownRecord(policy, of, { ...person, [field]: SHOWN })?.[field] !== SHOWN) throw closedSince(name);
  }
}

const SHOWN = 'shown';

/** Rows that were read under a wider limit than that of now: no more of them than a fresh call would get, and no way to the rest. */
function withinLimits(proposal: Proposal, { maxRows, maxChildRows }: Policy['soql']): Proposal {
  const { preview, result } = proposal;
  const rows: unknown = result?.rows;
  if (preview?.query === undefined || result === null || !Array.isArray(rows)) return proposal;
  let left = 0;
  const cut = (list: readonly unknown[], most: number) => {
    left += Math.max(0, list.length - most);
    return list.slice(0, most);
  };
  const kept = cut(rows, Math.max(0, maxRows - (preview.query.skip ?? 0))).map((row) =>
    isRecord(row)
      ? Object.fromEntries(
          Object.entries(row).map(([name, cell]) => [name, Array.isArray(cell) ? cut(cell, maxChildRows) : cell]),
        )
      : row,
  );
  if (left === 0) return proposal;
  const { nextCursor: _, ...rest } = result;
  const note = `${left} of the rows that were read are left out: the policy of now allows ${maxRows} of a query and ${maxChildRows} below each.`;
  return { ...proposal, result: { ...rest, rows: kept, returned: kept.length, note } };
}

/** How it went, without a word of what it is about. */
function bare(proposal: Proposal, { message, next }: GatehouseError, link: string): Envelope {
  if (proposal.state === 'failed')
    throw new GatehouseError(
      proposal.error?.error.code ?? 'conflict',
      `It failed, and no more can be told: ${message}`,
      {
        next,
      },
    );
  const { status } = toEnvelope({ ...proposal, result: null }, link);
  const { id, state, action, assurance, clientDecline } = proposal;
  return {
    status,
    proposal: {
      ...{ id, state, action, assurance },
      summary: summaryOf({ action, args: {}, preview: null }),
      changes: [],
      reasons: [],
      ...(status === 'declined' && clientDecline === 'declined' && state === 'pending'
        ? { declinedInClient: true }
        : {}),
      problem: { message, next },
      link,
      expiresAt: new Date(proposal.expiresAt).toISOString(),
    },
  };
}

/** What these rows were read by, for the row that says who got them. */
function readOf({ preview, result }: Proposal, shut: GatehouseError | undefined) {
  const query = preview?.query;
  const rows = result?.rows;
  return {
    detail: {
      ...(query === undefined ? {} : { class: query.class, objects: query.objects, fields: query.fields }),
      ...(shut !== undefined ? { code: shut.code } : Array.isArray(rows) ? { rows: rows.length } : {}),
    },
    ...(query === undefined ? {} : { sealed: { query: query.send } }),
  };
}

/** A query that waits holds its text alone; any other preview was read. */
function hasRead({ preview, result, error }: Proposal): boolean {
  return result !== null || error !== null || (preview !== null && preview.query === undefined);
}

function anotherUser({ name, risk }: Action): GatehouseError {
  return new GatehouseError(
    'conflict',
    'The bot is connected to Salesforce as another user since this was read, who may not see all of it.',
    {
      next:
        risk === 'read'
          ? `Call ${name} again: it is read as the user of now.`
          : 'Tell the user how it went, and do not call it again for that; look the record up to see it as the user of now.',
    },
  );
}

function readBefore({ name }: Action): GatehouseError {
  return new GatehouseError('conflict', 'The policy of this bot was changed since this was read.', {
    next: `Call ${name} again: it is read as policy lets it be seen now.`,
  });
}

function closedSince(name: string): GatehouseError {
  return new GatehouseError('permission_denied', `${name} is not open to this bot any more.`, {
    next: 'Tell the user that a person still decides this, and that its contents cannot be shown here.',
  });
}

function leftOrg(): GatehouseError {
  return new GatehouseError('not_connected', 'The bot is not connected to Salesforce any more.', {
    next: 'An operator connects it again; then make the call again.',
  });
}
