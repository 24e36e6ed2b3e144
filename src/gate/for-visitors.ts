import type { Envelope, ProposalView } from '../domain/proposal.ts';

/**
 * What a public bot is told: what was asked and how it went. Nobody on its side of the door decides, and its model repeats what it
 * reads, so that a stranger who wishes a change would read the record by it.
 */
export function forVisitors({ proposal, result, ...envelope }: Envelope): Envelope {
  return {
    ...envelope,
    ...(proposal === undefined ? {} : { proposal: withoutRecord(proposal) }),
    ...(result === undefined ? {} : { result: { ...result, ...withoutBefore(result.changes) } }),
  };
}

/** A conflict says what the record holds now. */
function withoutRecord({ target: _, problem, ...view }: ProposalView): ProposalView {
  return {
    ...view,
    changes: view.changes.map((change) => ({ ...change, before: null })),
    ...(problem === undefined || view.state === 'conflict' ? {} : { problem }),
  };
}

function withoutBefore(changes: unknown): { changes?: readonly unknown[] } {
  if (!Array.isArray(changes)) return {};
  return {
    changes: changes.map((change: unknown) =>
      typeof change === 'object' && change !== null && 'before' in change ? { ...change, before: null } : change,
    ),
  };
}
