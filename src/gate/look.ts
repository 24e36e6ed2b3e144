import { holds, isWithin, type Rights } from '../../permissions/catalog.ts';
import type { Audit } from '../audit/audit.ts';
import { unknownProposal } from '../confirm/refusals.ts';
import { toEnvelope } from '../confirm/view.ts';
import type { Action, Change, HeldRecord, Preview } from '../domain/action.ts';
import type { GatehouseError } from '../domain/errors.ts';
import { MASK, maskedProblem, maskedText } from '../domain/masked.ts';
import { isOpen, type Proposal } from '../domain/proposal.ts';
import { toId18 } from '../domain/salesforce-id.ts';
import type { Approvals } from '../ports/gate.ts';
import type { StoredNow } from './deliver.ts';
import { outcomeOf, type ProposalQueries } from './queries.ts';
import { listOf } from './sync-held.ts';

/**
 * What an operator sees of a proposal. Values of records are for READ_VALUES, each look at what has ended an audit row; while it
 * waits, whoever may decide it sees what is decided. Everybody else sees which fields there are.
 */

export interface LookDeps {
  /** Of bots and of operators. */
  readonly actions: readonly Action[];
  readonly queries: Pick<ProposalQueries, 'inspect' | 'list'>;
  readonly storedNow: StoredNow;
  readonly audit: Pick<Audit, 'record'>;
  readonly link: (id: string) => string;
}

export function createLooks({
  actions,
  queries,
  storedNow,
  audit,
  link,
}: LookDeps): Pick<Approvals, 'look' | 'lookAll'> {
  /** What was read is told as policy lets the bot see it now; an action that is gone has no such policy. */
  async function asOfNow(proposal: Proposal): Promise<Proposal> {
    const risk = actions.find(({ name }) => name === proposal.action)?.risk ?? 'read';
    if (risk !== 'read' || proposal.result === null || proposal.state !== 'done') return proposal;
    const { told, shut } = await storedNow(proposal);
    return shut === undefined ? told : { ...told, result: closed(shut) };
  }

  return {
    async look(id, { rights, principal, channel }) {
      const { proposal, envelope } = await queries.inspect(id);
      if (!isWithin(rights, proposal.bot)) throw unknownProposal();
      const isOpenTo = seesValues(rights, proposal);
      const shown = isOpenTo ? await asOfNow(proposal) : maskedProposal(proposal);
      if (isOpenTo && hasEnded(proposal) && hasValues(proposal))
        await audit.record({
          ...{ bot: proposal.bot, principal, channel, action: 'log', event: 'values_read', proposal: id },
          object: proposal.preview?.target?.object ?? null,
          recordId: proposal.preview?.target?.id ?? null,
        });
      return {
        proposal: shown,
        envelope: { ...toEnvelope(outcomeOf(shown), link(id)), status: envelope.status },
        records: isOpenTo ? listOf(proposal) : listOf(proposal)?.map(maskedRecord),
        isMasked: !isOpenTo,
      };
    },
    async lookAll(filter, rights) {
      const rows = await queries.list({ ...filter, bots: rights.bots });
      return rows.map((proposal) => (seesValues(rights, proposal) ? proposal : maskedProposal(proposal)));
    },
  };
}

function seesValues(rights: Rights, proposal: Proposal): boolean {
  return holds(rights, 'READ_VALUES') || (isOpen(proposal) && holds(rights, 'DECIDE_PROPOSALS'));
}

const hasEnded = (proposal: Proposal) => !isOpen(proposal) && !['approved', 'executing'].includes(proposal.state);
const hasValues = ({ args, preview, result }: Proposal) =>
  preview !== null || result !== null || Object.keys(args).length > 0;

function maskedProposal(proposal: Proposal): Proposal {
  const { args, preview, reasons, result, error, state, action } = proposal;
  return {
    ...proposal,
    // Without a preview its summary is made of its arguments.
    preview: preview === null ? { summary: action, changes: [] } : maskedPreview(action, preview),
    args: Object.fromEntries(Object.entries(args).map(([name, value]) => [name, shownValue(value)])),
    reasons: reasons.map(maskedText),
    effects: [],
    // The reason of a no is a word between people.
    result:
      result === null || state === 'rejected'
        ? result
        : Object.fromEntries(Object.entries(result).map(([name, value]) => [name, shownValue(value)])),
    error: error === null ? null : { error: maskedProblem(error.error) },
  };
}

function maskedPreview(action: string, { changes, target, warnings, choices, query }: Preview): Preview {
  return {
    summary: target === undefined ? action : `${action}: ${target.object} ${target.id}`,
    changes: changes.map(maskedChange),
    ...(target === undefined ? {} : { target: { ...target, name: MASK } }),
    ...(warnings === undefined ? {} : { warnings: warnings.map(maskedText) }),
    ...(choices === undefined ? {} : { choices: choices.map(({ id }) => ({ id, label: MASK })) }),
    ...(query === undefined ? {} : { query: { ...query, send: MASK, reasons: query.reasons.map(maskedText) } }),
  };
}

function maskedRecord({ changes, warnings, ...record }: HeldRecord): HeldRecord {
  return {
    ...record,
    changes: changes.map(maskedChange),
    ...(warnings === undefined ? {} : { warnings: warnings.map(maskedText) }),
  };
}

function maskedChange({ field, label, before, after }: Change): Change {
  return { field, label, before: shownValue(before), after: shownValue(after) };
}

/** Where a record is may be known, and a yes or a no names nobody. */
function shownValue(value: unknown): null | boolean | string {
  if (value === null || value === undefined) return null;
  if (typeof value === 'boolean') return value;
  return typeof value === 'string' && 'id' in toId18(value) ? value : MASK;
}

function closed({ message, next }: GatehouseError): Proposal['result'] {
  return { note: `${message} ${next}` };
}
