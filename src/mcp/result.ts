import { randomUUID } from 'node:crypto';
import type { CallToolResult } from '@modelcontextprotocol/server';
import { type GatehouseError, isOurs, toErrorBody, toGatehouseError } from '../domain/errors.ts';
import { outcomeWords } from '../domain/outcome-words.ts';
import type { Envelope } from '../domain/proposal.ts';
import type { Log } from '../ports/log.ts';

/** Why a waiting proposal was not decided here and now. */
export type NotDecided = 'no-form' | 'closed' | 'unreadable' | 'late';

/**
 * The envelope as data and the same as text; where the call is not over, both say what the model does next. In one block:
 * many clients hand the model the first one alone, or the data alone.
 */
export function toResult(envelope: Envelope, why: NotDecided = 'no-form', isOpen = true): CallToolResult {
  const { status, ...more } = envelope;
  const next = nextStep(envelope, why, isOpen);
  const told = next === undefined ? envelope : { status, next, ...more };
  return { structuredContent: { ...told }, content: [{ type: 'text', text: JSON.stringify(told) }] };
}

/** In text only: a 1.32 client rejects even an error whose structured content does not fit the tool's output schema. */
export function toErrorResult(error: GatehouseError): CallToolResult {
  return { isError: true, content: [{ type: 'text', text: JSON.stringify(toErrorBody(error)) }] };
}

/** Whatever was thrown. What is no error of ours goes to the log under an id, never to the model. */
export function toOurs(thrown: unknown, log: Log): GatehouseError {
  const error = toGatehouseError(thrown, randomUUID);
  const cause = error === thrown ? error.cause : thrown;
  if (isOurs(error))
    log.error(error.message, {
      door: 'mcp',
      cause: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause),
    });
  return error;
}

const FIRST: Record<NotDecided, string> = {
  'no-form': '',
  closed: 'The form was closed without a decision. ',
  unreadable: 'The answer in the form was not a clear decision, so it does not count. ',
  late: 'Nobody has decided yet. ',
};

function nextStep(envelope: Envelope, why: NotDecided, isOpen: boolean): string | undefined {
  const { status, proposal } = envelope;
  const { model } = outcomeWords(envelope);
  if (status === 'unknown') return `${model} GetProposal with its id tells once it is known.`;
  if (status !== 'waiting') return model;
  if (proposal === undefined || proposal.state !== 'pending')
    return 'It was approved and is being carried out. Call GetProposal with its id to see how it went; do not repeat the call.';
  return `${FIRST[why]}Nothing was written. Tell the user to ${isOpen ? 'open the link of the proposal and decide there' : `run "gatehouse serve" and open the link of the proposal, or to run "gatehouse approve ${proposal.id}"`} before it expires; GetProposal with its id tells how it went. You cannot approve it.`;
}
