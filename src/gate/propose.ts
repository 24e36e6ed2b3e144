import { minutesToDecide, type Verdict } from '../../permissions/decide.ts';
import type { AuditInput } from '../audit/audit.ts';
import type { Confirm } from '../confirm/confirm.ts';
import type { SeenReads } from '../confirm/seen-reads.ts';
import { toEnvelope } from '../confirm/view.ts';
import type { Action, Preview } from '../domain/action.ts';
import { decidedByPolicy, type Envelope, newProposal, type Proposal } from '../domain/proposal.ts';
import type { Call } from '../ports/gate.ts';
import type { BotRow } from '../ports/store.ts';
import { both, type ReadLog } from './read-log.ts';
import type { Repeats } from './repeats.ts';

/** A call that was parsed, previewed and judged, and may write. */
export interface Judged extends Pick<Proposal, 'args' | 'digest' | 'dedupeKey' | 'preview'> {
  readonly id?: string;
  /** The action whose time limit holds, where it is another one's. */
  readonly expiresAs?: string;
  readonly verdict: Verdict;
  readonly orgId: string;
  readonly userId: string;
  readonly signal: AbortSignal;
  readonly reads: ReadLog;
  /** What its preview read, for a run that policy lets follow at once. */
  readonly seen?: SeenReads;
}

/** Makes the proposal of a judged call: it waits for a person, or runs at once where policy lets it. */
export type Propose = (bot: BotRow, action: Action, c: Call, judged: Judged) => Promise<Envelope>;

export interface ProposeDeps {
  readonly confirm: Pick<Confirm, 'create' | 'execute' | 'supersede'>;
  readonly repeats: Pick<Repeats, 'replacedBy' | 'sameMoment'>;
  readonly link: (id: string) => string;
  readonly newId: () => string;
  readonly now: () => number;
}

const MINUTE_MS = 60_000;
/** A proposal that policy approved runs at once; after a crash within this time. */
const AUTO_MINUTES = 10;

export function createPropose({ confirm, repeats, link, newId, now }: ProposeDeps): Propose {
  return async (bot, action, c, { verdict, signal, reads, seen, expiresAs = action.name, ...judged }) => {
    const isAsked = verdict.decision === 'confirm';
    const minutes = isAsked ? minutesToDecide(bot.policy, expiresAs, verdict) : AUTO_MINUTES;
    if (isAsked) await confirm.supersede(await repeats.replacedBy(bot, action, c, judged.preview));
    const at = now();
    const proposal = newProposal(bot, c, {
      id: newId(),
      ...judged,
      action: action.name,
      reasons: verdict.reasons,
      assurance: verdict.assurance,
      clientDecline: verdict.clientDecline ?? 'ends',
      createdAt: at,
      expiresAt: at + minutes * MINUTE_MS,
      ...(isAsked ? { state: 'pending' } : { state: 'approved', ...decidedByPolicy(judged.preview, c.channel, at) }),
    });
    const {
      isNew,
      proposal: held,
      permit,
    } = await confirm.create(
      proposal,
      {
        event: isAsked ? 'proposed' : 'permitted',
        channel: c.channel,
        decision: verdict.decision,
        ...both(both(reads.audited(), querySent(judged.preview)), { detail: { reasons: verdict.reasons } }),
      },
      bot.policy.proposals,
    );
    if (isNew && !isAsked) return confirm.execute(held.id, { signal, seen, permit });
    if (held.state === 'pending') return toEnvelope(held, link(held.id));
    return repeats.sameMoment(held, action, c, signal);
  };
}

/** The text of a query may name people: it is sealed, its shape is not. */
function querySent(preview: Preview | null): Pick<AuditInput, 'detail' | 'sealed'> {
  const query = preview?.query;
  if (query === undefined) return {};
  return {
    detail: { class: query.class, objects: query.objects, fields: query.fields },
    sealed: { query: query.send },
  };
}
