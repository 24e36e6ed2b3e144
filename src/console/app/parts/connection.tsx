import { Badge } from './states.tsx';
import { count } from './text.tsx';

/** A connection in a word, and how much of the day's API budget is used. */

type State = 'connected' | 'needs_reauth' | 'disconnected' | 'never_connected';
export const ENVIRONMENTS = { production: 'Production', sandbox: 'Sandbox', simulated: 'Simulated' } as const;

const STATES = {
  connected: ['good', 'Connected'],
  needs_reauth: ['bad', 'Reconnect needed'],
  disconnected: ['', 'Disconnected'],
  never_connected: ['', 'Not connected'],
} as const;

export function ConnectionBadge({
  status: { state, environment },
}: {
  readonly status: { readonly state: State; readonly environment?: keyof typeof ENVIRONMENTS | undefined };
}) {
  const [kind, words] = STATES[state];
  return (
    <span>
      <Badge kind={kind}>{words}</Badge> {environment && <small>{ENVIRONMENTS[environment]}</small>}
    </span>
  );
}

/** Of the OAuth app that a bot is signed in by; its secret is shown to nobody. */
export function AppName({
  of: { of, clientId, isFormer },
}: {
  readonly of: { of: 'bot' | 'installation'; clientId: string; isFormer?: true | undefined };
}) {
  const whose = of === 'bot' ? 'its own' : isFormer ? 'the installation’s former one' : 'the installation’s';
  return (
    <>
      {whose}, <code>{clientId}</code>
      {isFormer && (
        <>
          <br />
          <small>Another one is set now: when this session ends, it must be reconnected.</small>
        </>
      )}
    </>
  );
}

export function BudgetMeter({ api }: { readonly api?: { readonly used: number; readonly max: number } | undefined }) {
  if (api === undefined) return <span class="empty">not known yet</span>;
  const percent = Math.round((api.used / api.max) * 100);
  return (
    <span class="budget">
      <meter min={0} max={100} low={80} high={95} optimum={0} value={percent} aria-label="API calls used today" />{' '}
      <span>
        {percent} % <small>of {count(api.max)}</small>
      </span>
    </span>
  );
}
