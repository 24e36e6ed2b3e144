import { needsFacts, type Verdict } from '../../permissions/decide.ts';
import type { Preview } from '../domain/action.ts';
import type { Proposal } from '../domain/proposal.ts';
import { cleanShown } from '../domain/safe-text.ts';
import { countRun, hasRate, type JudgeDeps, judge } from '../policy/judge.ts';
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
  c: Pick<Call, 'principal' | 'conversation' | 'session'>,
  { input, extra }: ParsedArgs,
  signal: AbortSignal,
  visitor: Proposal['visitor'] = null,
  reads: ReadLog = createReadLog(),
): Promise<Evaluated> {
  const { action, actionPolicy } = permit;
  const run = await contextFor(deps.context, bot, c, extra, signal, reads);
  const isShown = needsFacts(actionPolicy, bot.policy) || (action.risk !== 'read' && !action.idempotent);
  const preview = isShown && action.preview !== undefined ? cleanShown(await action.preview(input, run.context)) : null;
  // Counted before it is judged: of 100 calls at once, each has a number of its own.
  const isCounted = visitor === null && hasRate(actionPolicy);
  const before = isCounted ? await countRun(deps, bot, action) : 0;
  const verdict = judge(bot, permit, preview, run.environment, before, visitor);
  if (isCounted && verdict.decision !== 'auto') await countRun(deps, bot, action, -1);
  return { run, preview: verdict.decision === 'confirm' ? await withCost(preview, run) : preview, verdict };
}

/** A query that a person is asked about is shown with its cost; one that policy lets run asks Salesforce nothing about itself. */
async function withCost(preview: Preview | null, { context }: Run): Promise<Preview | null> {
  if (preview?.query === undefined) return preview;
  const expects = await context.soql.expects(preview.query);
  return cleanShown({ ...preview, query: { ...preview.query, ...(expects === undefined ? {} : { expects }) } });
}
