import { Badge } from './states.tsx';
import { count, Reasons, Text, Value } from './text.tsx';

/** What a bot called, how that was judged and what it took. */
export interface TraceStep {
  readonly action: string;
  readonly args?: unknown;
  readonly ms: number;
  readonly calls: number;
  readonly decision?: 'auto' | 'confirm' | 'deny' | undefined;
  readonly reasons: readonly string[];
  readonly policyRevision?: number | undefined;
  readonly outcome: 'done' | 'dry run' | 'waiting' | 'refused' | 'other';
  readonly answer?: unknown;
}

const DECISIONS = { auto: 'runs', confirm: 'asks', deny: 'denied' } as const;
const KINDS = { done: 'good', 'dry run': 'accent', waiting: 'warn', refused: 'bad', other: '' } as const;

export function Trace({ steps }: { readonly steps: readonly TraceStep[] }) {
  if (steps.length === 0) return <p class="empty">Calls appear here as the bot makes them.</p>;
  return (
    <ol class="trace" aria-label="Calls">
      {steps.map((step, at) => (
        // Only ever added to.
        <li key={at}>
          <Step {...step} />
        </li>
      ))}
    </ol>
  );
}

function Step({ action, args, ms, calls, decision, reasons, policyRevision, outcome, answer }: TraceStep) {
  return (
    <div class="stack">
      <p class="eyebrow">
        <strong>
          <Text>{action}</Text>
        </strong>
        <Badge kind={KINDS[outcome]}>{outcome}</Badge>
      </p>
      <p class="note">
        {decision === undefined ? 'Refused before policy was asked' : `Policy: ${DECISIONS[decision]}`}
        {policyRevision !== undefined && `, revision ${policyRevision}`} · {count(ms)} ms ·{' '}
        {calls === 1 ? '1 Salesforce call' : `${calls} Salesforce calls`}
      </p>
      <Reasons of={reasons} />
      <details>
        <summary>Arguments</summary>
        <pre class="query">
          <Value of={args} />
        </pre>
      </details>
      <details>
        <summary>What the model reads</summary>
        <pre class="query">
          <Value of={answer} />
        </pre>
      </details>
    </div>
  );
}
