import type { SObject } from '../domain/action.ts';
import { GatehouseError, StillUnderWay } from '../domain/errors.ts';
import type { Proposal, RecordedWrite } from '../domain/proposal.ts';
import { quoted } from '../domain/safe-text.ts';

/** Why a proposal is not held or not decided, each with what to do now. */

export function disconnected(): GatehouseError {
  return new GatehouseError('not_connected', 'The bot was disconnected from the org that this was asked for.', {
    next: 'Connect it again and let the bot propose it anew, if it is still wanted.',
  });
}

export function changedOutside(): GatehouseError {
  return new GatehouseError(
    'conflict',
    'This proposal is not as Gatehouse stored it: it was changed in the database, or made by an earlier version.',
    { next: 'Nothing was written. Let the bot propose it anew, and find out who can write into the database.' },
  );
}

export function queueFull(maxPending: number): GatehouseError {
  return new GatehouseError('rate_limited', `${maxPending} proposals of this bot wait for a decision already.`, {
    next: 'Tell the user that a person must first decide the waiting ones.',
    retryable: true,
    retryAfterMs: 60_000,
  });
}

/** Of one person at the chat: the queue is everybody's. */
export function ownQueueFull(most: number): GatehouseError {
  return new GatehouseError('rate_limited', `${most} proposals of this person wait for a decision already.`, {
    next: 'Tell the user to decide the open cards first, or to have them decided.',
    retryable: true,
    retryAfterMs: 60_000,
  });
}

/** The same to everybody: it tells a visitor nothing but that it is full. */
export function formFull(): GatehouseError {
  return new GatehouseError('rate_limited', 'Requests cannot be taken right now: too many wait for an answer.', {
    next: 'Tell the user that it was not sent, and to try again later or to use another way.',
    retryable: true,
    retryAfterMs: 600_000,
  });
}

export function unknownProposal(): GatehouseError {
  return new GatehouseError('not_found', 'There is no such proposal.', {
    next: 'Check the id; proposals of other bots cannot be seen.',
    fields: [{ name: 'id', problem: 'unknown' }],
  });
}

export function alreadyDecided(proposal: Proposal): GatehouseError {
  const by = proposal.decidedBy === null ? '' : ` by ${proposal.decidedBy}`;
  return new GatehouseError(
    'conflict',
    `This proposal was decided${by} and is ${proposal.state}; it can be decided only once.`,
    {
      next: 'Look at its outcome; for another change let the bot propose it anew.',
    },
  );
}

/** Its times are another machine's: whether it is over cannot be judged here, so it ends. */
export function clocksDiffer(): GatehouseError {
  return new GatehouseError(
    'conflict',
    'Nothing was written: by the clock of this machine it was asked in the future, so that nobody can tell whether its time is over.',
    {
      next: 'Ask anew. Tell the operator that the clocks of the machines differ by minutes, or that this one was set back: the status says by how much.',
    },
  );
}

export function needsSession(): GatehouseError {
  return new GatehouseError(
    'permission_denied',
    'This needs a signed-in approver; an answer at the chat client is not enough.',
    { next: 'Open the link of the proposal and sign in.' },
  );
}

export function takenOver(): GatehouseError {
  return new GatehouseError('conflict', 'Another process took this proposal over.', {
    next: 'Ask GetProposal how it ended.',
  });
}

export function botDeleted(): GatehouseError {
  return new GatehouseError('conflict', 'The bot was deleted while this ran; nothing more is written.', {
    next: 'The audit says what was written before.',
  });
}

export function changedMeanwhile(object: string, fields: readonly string[]): GatehouseError {
  return new GatehouseError(
    'conflict',
    `The ${object} changed after it was shown (${fields.join(', ')}); nothing was written.`,
    {
      next: 'Look at the record again and ask anew, with its present values.',
    },
  );
}

/** Ours may have been written before: who changed it since is not overwritten. */
export function overtaken(object: string, fields?: readonly string[]): GatehouseError {
  const since = fields === undefined ? 'the record is gone' : `somebody else changed ${fields.join(', ')}`;
  return new GatehouseError(
    'conflict',
    `The answer to the change of the ${object} was lost, and ${since} since. Nothing was written again.`,
    { next: 'Look at the record; ask anew with its present values, if it is still wanted.' },
  );
}

export function asksFirst(): GatehouseError {
  return new GatehouseError('conflict', 'Policy asks a person first since this was begun.', {
    next: 'Ask anew for what is missing.',
  });
}

/** Some of it stands in the org, and what stopped the rest keeps it from being written. */
export function partlyWritten(effects: readonly RecordedWrite[], cause: GatehouseError): GatehouseError {
  const written = effects
    .filter(({ state }) => state === 'done')
    .map(({ object, id, after }) => [object, id, Object.keys(after).join(', ')].filter(Boolean).join(' '));
  return new GatehouseError(
    'conflict',
    `Part of this was written (${written.join('; ')}); the rest was not: ${cause.message}`,
    {
      next: 'Look at the record; ask anew for what is missing, if it is still wanted. The log can take back what was written.',
    },
  );
}

/** Retryable: once it stands still for a few seconds, a later change can be told from this one. */
export function changesNow(object: string): GatehouseError {
  return new GatehouseError(
    'conflict',
    `The ${object} is being changed by somebody else right now; nothing was written.`,
    {
      next: 'Wait a minute, look at the record, and ask anew with its present values.',
      retryable: true,
      retryAfterMs: 60_000,
    },
  );
}

/** Code of the org whose answer is missing: nothing tells what it did, so nothing is sent again. */
export function mayHaveRun(code: string, cause?: unknown): GatehouseError {
  return new StillUnderWay(`It is not known whether ${code} ran: its answer was lost.`, {
    next: 'Tell the user that it may have happened and is not repeated by itself: somebody must look in Salesforce.',
    retryable: false,
    cause,
  });
}

export function stillUnknown(object: string): GatehouseError {
  return new StillUnderWay(`It is not known yet whether the ${object} was written.`, {
    next: 'Do not repeat the call; ask GetProposal again in half a minute.',
    retryAfterMs: 30_000,
  });
}

export function tooLate(object: string): GatehouseError {
  return new GatehouseError(
    'conflict',
    `The ${object} was not written, and by the clock of this machine the time to write it is over.`,
    {
      next: 'Ask anew if it is still wanted. Where it was over too soon, the clocks of the machines differ: the status says by how much.',
    },
  );
}

/** Salesforce said yes, and the record holds what it held before: a product's sum, a flow, a trigger. */
export class NotTaken extends GatehouseError {
  constructor(object: string, held: SObject, missed: readonly string[], isNothing: boolean) {
    const now = missed.map((field) => `${field} is still ${quoted(String(held[field] ?? 'empty'))}`).join(', ');
    super('conflict', `Salesforce took the change of the ${object} and did not keep it: ${now}.`, {
      next: `${isNothing ? 'Nothing was changed' : 'The other fields were changed'}. Tell the user what the record holds; do not repeat the call. What the org calculates or sets by itself is changed where it comes from.`,
      fields: missed.map((name) => ({ name, problem: 'was not kept by Salesforce' })),
    });
  }
}
