import type { Confirm } from '../confirm/confirm.ts';
import { unknownProposal } from '../confirm/refusals.ts';
import { toEnvelope } from '../confirm/view.ts';
import { type Envelope, isOver, type Proposal } from '../domain/proposal.ts';
import { isSameSession } from '../domain/session.ts';
import type { Approvals, Call, Gate, Viewer } from '../ports/gate.ts';
import type { Store } from '../ports/store.ts';
import type { Deliver } from './deliver.ts';
import { getProposal, getProposalInput } from './get-proposal.ts';
import { readArgs } from './parse-args.ts';
import { SYNC_HELD } from './sync-held.ts';

/** Where proposals stand, for the bots that made them and for operators. */
export interface ProposalQueries extends Pick<Gate, 'proposal'>, Pick<Approvals, 'list' | 'inspect'> {
  /** The answer of the built-in tool. */
  getProposal(c: Call, ignoreKeys: readonly string[]): Promise<Envelope>;
}

export interface ProposalQueriesDeps {
  readonly store: Pick<Store, 'proposals'>;
  readonly confirm: Pick<Confirm, 'refresh' | 'settled'>;
  readonly deliver: Deliver;
  readonly link: (id: string) => string;
  readonly now: () => number;
}

export function createProposalQueries({ store, confirm, deliver, link, now }: ProposalQueriesDeps): ProposalQueries {
  const proposal: Gate['proposal'] = async (id, viewer, { waitMs, signal } = { waitMs: 0 }) => {
    const first = await confirm.refresh(id);
    if (first === undefined || !isOf(viewer, first) || first.action === SYNC_HELD) throw unknownProposal();
    if (waitMs === 0) return deliver(first, viewer);
    const settled = await confirm.settled(id, waitMs, signal);
    await viewer.prove?.();
    return deliver(settled ?? first, viewer);
  };

  return {
    proposal,

    async getProposal(c, ignoreKeys) {
      const { id, waitSeconds = 0 } = readArgs(getProposal.name, getProposalInput, c.args, ignoreKeys);
      return proposal(id, c, { waitMs: waitSeconds * 1000, signal: c.signal });
    },

    async list({ pending, limit = 100, ...filter }) {
      const rows = await store.proposals.list({ ...filter, ...(pending ? { isOpen: true } : {}), limit });
      if (!pending) return rows;
      const over = rows.filter((proposal) => proposal.visitor === null && isOver(proposal, now()));
      // Stored as expired: a clock that goes back would show them as waiting once more.
      for (const { id } of over) await confirm.refresh(id);
      return rows.filter((proposal) => !over.includes(proposal));
    },

    async inspect(id) {
      const proposal = await confirm.refresh(id);
      if (proposal === undefined) throw unknownProposal();
      const envelope = toEnvelope(outcomeOf(proposal), link(id));
      return { proposal, envelope: proposal.state === 'pending' ? { ...envelope, status: 'waiting' } : envelope };
    },
  };
}

/** A failure is told to operators as an outcome. */
export function outcomeOf(proposal: Proposal): Proposal {
  return proposal.state === 'failed' ? { ...proposal, state: 'conflict' } : proposal;
}

/** A bot's keys share what was made with any of them for the same customer; a person shares with nobody, whichever door they use. */
function isOf({ bot, principal, session }: Viewer, proposal: Proposal): boolean {
  if (proposal.bot !== bot || !isSameSession(proposal.session, session)) return false;
  return proposal.principal === principal || ![principal, proposal.principal].some(isPerson);
}

function isPerson(principal: string): boolean {
  return principal.startsWith('chat:') || principal.startsWith('operator:');
}
