import type { ComponentChildren } from 'preact';
import { Link } from 'wouter-preact';
import { Badge } from './states.tsx';

interface Standing {
  readonly name: string;
  readonly grants: readonly string[];
  readonly connection: { readonly state: string };
}

const isReady = ({ grants, connection }: Standing) => connection.state === 'connected' && grants.length > 0;

/** Connect, grant, try: with what is done, until one bot can be tried. */
export function FirstRun({ bots }: { readonly bots: readonly Standing[] }) {
  if (bots.some(isReady)) return null;
  const [bot] = bots;
  const at = bot === undefined ? '' : encodeURIComponent(bot.name);
  return (
    <section class="card" aria-labelledby="first">
      <h2 id="first">Steps to the first answer</h2>
      <ol class="steps">
        <Step title="Make a bot." isDone={bot !== undefined} to={{ href: '/bots/new', label: 'New bot' }}>
          It is one chatbot, with its own connection, grants and policy.
        </Step>
        <Step
          title="Connect it."
          isDone={bots.some(({ connection }) => connection.state === 'connected')}
          to={bot && { href: `/connect/${at}`, label: `Connect ${bot.name}` }}
        >
          A person logs in at Salesforce once; Gatehouse never sees the password.
        </Step>
        <Step
          title="Grant what it may do."
          isDone={bots.some(({ grants }) => grants.length > 0)}
          to={bot && { href: '/permissions', label: 'Permissions' }}
        >
          What is not granted is refused.
        </Step>
        <Step title="Try it." isDone={false} to={bot && { href: `/playground?bot=${at}`, label: 'Playground' }}>
          The playground runs it without writing anything.
        </Step>
      </ol>
    </section>
  );
}

function Step({
  title,
  isDone,
  to,
  children,
}: {
  readonly title: string;
  readonly isDone: boolean;
  readonly to: { readonly href: string; readonly label: string } | undefined;
  readonly children: ComponentChildren;
}) {
  return (
    <li>
      <strong>{title}</strong> {children}{' '}
      {isDone ? <Badge kind="good">done</Badge> : to && <Link href={to.href}>{to.label}</Link>}
    </li>
  );
}
