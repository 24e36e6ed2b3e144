import { z } from 'zod';
import { assuranceAnswer, changeAnswer, momentAnswer } from '../domain/answers.ts';
import { MOVES, type ProposalState } from '../domain/proposal.ts';

/** Forms that several routes of this door answer. */

const query = z
  .strictObject({
    send: z.string(),
    objects: z.array(z.string()),
    fields: z.array(z.string()),
    class: z.enum(['trivial', 'non-trivial']),
    reasons: z.array(z.string()),
    expects: z.string().optional().describe('Rows that Salesforce expects; told to approvers alone'),
    rowCap: z.number().nullable(),
    note: z.string().optional(),
    skip: z.number().optional(),
    answered: z.strictObject({ assurance: assuranceAnswer, asks: z.array(z.string()) }).optional(),
  })
  .meta({ id: 'Query' });

/** What a call would do, as a person is shown it. */
const shownBefore = {
  summary: z.string(),
  changes: z.array(changeAnswer),
  target: z.strictObject({ object: z.string(), id: z.string(), name: z.string(), url: z.string() }).optional(),
  warnings: z.array(z.string()).optional(),
  choices: z.array(z.strictObject({ id: z.string(), label: z.string() })).optional(),
  query: query.optional(),
};
export const previewAnswer = z.strictObject(shownBefore).meta({ id: 'Preview' });

export const stateAnswer = z.enum(Object.keys(MOVES) as ProposalState[]); // its own keys

export const proposalAnswer = z
  .strictObject({
    id: z.string(),
    state: stateAnswer,
    action: z.string(),
    assurance: assuranceAnswer,
    ...shownBefore,
    reasons: z.array(z.string()),
    declinedInClient: z.literal(true).optional().describe('A signed-in person may still say yes'),
    declineReason: z.string().optional().describe("The person's reason, quoted; where policy says `tellReason`"),
    problem: z.strictObject({ message: z.string(), next: z.string() }).optional(),
    link: z.string().describe('Where a signed-in person decides'),
    expiresAt: momentAnswer,
  })
  .meta({ id: 'Proposal' });

export const STATUSES = ['done', 'waiting', 'declined', 'expired', 'conflict', 'unknown'] as const;

/** A call's answer; `result` has the form that the action says. */
export const envelopeAnswer = z.strictObject({
  status: z.enum(STATUSES),
  result: z.record(z.string(), z.unknown()).optional(),
  proposal: proposalAnswer.optional(),
});
