import type { ChatEvent } from '../../../chat/events.ts';
import { stream } from '../api.ts';
import type { TraceStep } from '../parts/trace.tsx';
import { eventsOf } from '../sse.ts';

/** One turn at the playground, event by event. */
export async function* turnOf(
  { bot, id }: { readonly bot: string; readonly id: string },
  text: string,
  signal: AbortSignal,
): AsyncGenerator<ChatEvent | { readonly type: 'trace'; readonly step: TraceStep }> {
  const path = `/api/bots/${encodeURIComponent(bot)}/playground/${encodeURIComponent(id)}/messages`;
  yield* eventsOf(await stream(path, { text }, signal));
}

/** They name records of the simulated org. */
export const STARTERS = [
  { needs: 'GetAccount', words: 'What is the status of OPP-123?' },
  { needs: 'UpdateOpportunity', words: 'Move OPP-456 to Closed Won' },
  { needs: 'RunSOQL', words: 'How many opportunities did we win this quarter?' },
  { needs: 'CreateLead', words: 'I’d like to hear about your enterprise plan' },
];
