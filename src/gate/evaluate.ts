import { needsFacts, type Verdict } from '../../permissions/decide.ts';
import { createSeenReads, type SeenReads } from '../confirm/seen-reads.ts';
import type { Preview } from '../domain/action.ts';
import type { Proposal } from '../domain/proposal.ts';
import { cleanShown } from '../domain/safe-text.ts';
import { countRun, hasRate, type JudgeDeps, judge, noteRun } from '../policy/judge.ts';
import type { Permitted } from '../policy/permit.ts';
import type { Call } from '../ports/gate.ts';
import type { BotRow } from '../ports/store.ts';
import { type ContextDeps, contextFor, type Run } from './call-context.ts';
import type { ParsedArgs } from './parse-args.ts';
import { createReadLog, type ReadLog } from './read-log.ts';

export interface Evaluated {
  readonly run: Run;
  readonly preview: Preview | null;
  readonly verdict: Verdict;
}

/** What would happen and what policy says to it; reads only. Requests of visitors were counted when they came. */
export async function evaluate(
  deps: JudgeDeps & { readonly context: ContextDeps },
  bot: BotRow,
  permit: Permitted,
  c: Pick<Call, 'principal' | 'conversation' | 'session'> & Partial<Pick<Call, 'channel'>>,
  { input, extra }: ParsedArgs,
  signal: AbortSignal,
  visitor: Proposal['visitor'] = null,
  reads: ReadLog = createReadLog(deps.now),
  seen: SeenReads = createSeenReads(deps.context.now),
): Promise<Evaluated> {
  const { action, actionPolicy } = permit;
  const run = await contextFor(deps.context, bot, c, extra, signal, reads, seen);
  // Nobody will see what is denied whatever it holds; a visitor's request waits for an operator all the same.
  const isPlainNo = actionPolicy.decision === 'deny' && visitor === null;
  const isShown =
    !isPlainNo && (needsFacts(actionPolicy, bot.policy) || (action.risk !== 'read' && !action.idempotent));
  const preview = isShown && action.preview !== undefined ? cleanShown(await action.preview(input, run.context)) : null;
  seen.previewed();
  // Counted before it is judged: of 100 calls at once, each has a number of its own. An operator who tries is none of the bot's.
  const isCounted = !isPlainNo && visitor === null && hasRate(actionPolicy);
  const before = isCounted ? await countRun(deps, bot, action) : 0;
  const verdict = judge(bot, permit, preview, run.environment, before, visitor);
  const isAsked = verdict.decision === 'confirm';
  const [shown] = await Promise.all([
    isAsked ? withCost(preview, run) : preview,
    isCounted && (verdict.decision !== 'auto' || c.channel === 'playground')
      ? noteRun(deps, bot, action, -1)
      : undefined,
  ]);
  return { run, preview: shown, verdict };
}

/** A query that a person is asked about is shown with its cost; one that policy lets run asks Salesforce nothing about itself. */
async function withCost(preview: Preview | null, { context }: Run): Promise<Preview | null> {
  if (preview?.query === undefined) return preview;
  const expects = await context.soql.expects(preview.query);
  return cleanShown({ ...preview, query: { ...preview.query, ...(expects === undefined ? {} : { expects }) } });
}
