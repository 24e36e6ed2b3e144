import { useQuery } from '@tanstack/preact-query';
import {
  Activity,
  Bot,
  Ellipsis,
  House,
  KeyRound,
  MessageSquareText,
  RefreshCw,
  ScrollText,
  Stamp,
} from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import { useContext, useEffect, useRef, useState } from 'preact/hooks';
import { Link, useLocation } from 'wouter-preact';
import { api, onSessionOver, queries, said } from './api.ts';
import { startEvents } from './events.ts';
import { Finder } from './finder.tsx';
import { Page } from './parts/page.tsx';
import { Told } from './parts/tell.tsx';
import { Text } from './parts/text.tsx';
import { Moment } from './parts/time.tsx';
import { type Session, SessionContext, whyNot } from './session.ts';

/** What stands around every page: where one is, who one is, what everybody must know. */

const PLACES = [
  { href: '/', label: 'Overview', icon: House },
  { href: '/approvals', label: 'Approvals', icon: Stamp },
  { href: '/bots', label: 'Bots', icon: Bot },
  { href: '/permissions', label: 'Permissions', icon: KeyRound },
  { href: '/sync', label: 'Sync', icon: RefreshCw },
  { href: '/log', label: 'Log', icon: ScrollText },
  { href: '/charts', label: 'Charts', icon: Activity },
  { href: '/playground', label: 'Playground', icon: MessageSquareText },
] as const;
/** At the bottom of a phone; the rest opens behind More. */
const ON_PHONE: ReadonlySet<string> = new Set(['/', '/approvals', '/sync']);

export function Frame({ children }: { readonly children: ComponentChildren }) {
  const session = useContext(SessionContext);
  const recovered = session?.recovered;
  const mayListen = session?.permissions.includes('READ_INTEGRATIONS') ?? false;
  useEffect(() => {
    if (mayListen) startEvents();
  }, [mayListen]);
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      {session?.isSimulated && (
        <p class="simulated" role="note">
          <strong>Simulated org:</strong> nothing here reaches Salesforce. <a href="/simulated-org">Look at it</a>
        </p>
      )}
      {recovered && (
        <p class="simulated" role="alert">
          <strong>Access was recovered</strong> for <Text>{recovered.operator}</Text> at the terminal of this
          installation, <Moment at={recovered.at} />. If that was none of you, change <code>GATEHOUSE_SECRET</code> and
          look at the log.
        </p>
      )}
      <Offline />
      <SignedOut />
      <header class="top">
        <Link class="brand" href="/">
          <svg viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
            <path d="M3 21V10a9 9 0 0 1 18 0v11h-5V11a4 4 0 0 0-8 0v10z" fill="currentColor" />
            <circle cx="12" cy="17" r="1.6" fill="currentColor" />
          </svg>
          <span>Gatehouse</span>
        </Link>
        <Finder />
        {session && <Who of={session} />}
        <Places />
      </header>
      <main id="main" tabIndex={-1} class="wide">
        <Allowed>{children}</Allowed>
      </main>
      <Told />
    </>
  );
}

function Places() {
  const [here] = useLocation();
  const [isMore, setMore] = useState(false);
  const waiting = useWaiting();
  useEffect(() => setMore(false), [here]);
  const place = placeOf(here);
  return (
    <nav aria-label="Main" class={isMore ? 'places more' : 'places'}>
      {PLACES.map(({ href, label, icon: Icon }) => (
        <Link
          key={href}
          href={href}
          class={ON_PHONE.has(href) ? 'place' : 'place rest'}
          aria-current={href === place ? 'page' : undefined}
        >
          <Icon size={18} aria-hidden="true" />
          <span>{label}</span>
          {href === '/approvals' && waiting > 0 && (
            <span class="count">
              {waiting}
              <span class="hidden"> waiting</span>
            </span>
          )}
        </Link>
      ))}
      <button type="button" class="place toggle" aria-expanded={isMore} onClick={() => setMore(!isMore)}>
        <Ellipsis size={18} aria-hidden="true" />
        <span>More</span>
      </button>
    </nav>
  );
}

/** Under which of the places an address is found: what a bot syncs and may do is not looked for under its name. */
function placeOf(here: string): string | undefined {
  if (/^\/bots\/[^/]+\/(sync|mappings)(\/|$)/.test(here)) return '/sync';
  if (/^\/bots\/[^/]+\/policy$/.test(here)) return '/permissions';
  return PLACES.map(({ href }) => href).find((href) => here === href || (href !== '/' && here.startsWith(`${href}/`)));
}

/** What nearly all of a page is about; a role may be without either. */
const neededAt = (here: string) =>
  /^\/(approvals|log|charts|sync|settings\/notices|bots\/[^/]+\/sync)(\/|$)/.test(here)
    ? 'READ_LOGS'
    : /^\/settings(\/|$)/.test(here)
      ? undefined
      : 'READ_INTEGRATIONS';

/** A page that would be refused says who may see it, and asks nothing. */
function Allowed({ children }: { readonly children: ComponentChildren }) {
  const [here] = useLocation();
  const session = useContext(SessionContext);
  const needed = neededAt(here);
  const why = session && needed && whyNot(session, needed);
  if (why === undefined) return <>{children}</>;
  return (
    <Page title="Not yours to see">
      <p class="note">{why}</p>
    </Page>
  );
}

/** How many actions wait for a person. */
function useWaiting(): number {
  const session = useContext(SessionContext);
  const { data } = useQuery({
    queryKey: ['proposals', 'count'],
    enabled: session?.permissions.includes('READ_LOGS') ?? false,
    queryFn: async () =>
      (await said(api.GET('/api/proposals', { params: { query: { limit: 200 } } }))).proposals.length,
  });
  return data ?? 0;
}

function Who({ of: { operator, csrf } }: { readonly of: Session }) {
  const [here] = useLocation();
  const menu = useRef<HTMLDetailsElement>(null);
  const close = () => menu.current?.removeAttribute('open');
  useEffect(close, [here]);
  return (
    <details
      class="who"
      ref={menu}
      onKeyDown={({ key }) => {
        if (key !== 'Escape') return;
        close();
        menu.current?.querySelector('summary')?.focus();
      }}
      onFocusOut={({ relatedTarget }) => {
        if (relatedTarget instanceof Node && !menu.current?.contains(relatedTarget)) close();
      }}
    >
      <summary>
        <Text>{operator.name}</Text> <small>{operator.role}</small>
      </summary>
      <div class="menu">
        <Link href="/settings">Settings and operators</Link>
        <Link href="/settings/notices">Notices</Link>
        <a href="/api/openapi.json">REST API</a>
        <form method="post" action="/sign-out">
          <input type="hidden" name="csrf" value={csrf} />
          <button type="submit" class="quiet">
            Sign out
          </button>
        </form>
      </div>
    </details>
  );
}

/** What was typed waits; the sign-in opens beside it, and this page goes on once somebody is there again. */
function SignedOut() {
  const [isOver, setOver] = useState(false);
  useEffect(() => onSessionOver(setOver), []);
  useEffect(() => {
    if (!isOver) return;
    const look = () => {
      if (!document.hidden) void queries.refetchQueries({ queryKey: ['session'] });
    };
    document.addEventListener('visibilitychange', look);
    addEventListener('focus', look);
    return () => {
      document.removeEventListener('visibilitychange', look);
      removeEventListener('focus', look);
      void queries.invalidateQueries();
    };
  }, [isOver]);
  if (!isOver) return null;
  return (
    <p class="simulated" role="alert">
      <strong>Your session is over.</strong> What you typed stays here.{' '}
      <a href="/sign-in" target="_blank" rel="noreferrer">
        Sign in in another tab
      </a>
      , come back, and press again.
    </p>
  );
}

function Offline() {
  const [isOnline, setOnline] = useState(navigator.onLine);
  useEffect(() => {
    const look = () => setOnline(navigator.onLine);
    addEventListener('online', look);
    addEventListener('offline', look);
    return () => {
      removeEventListener('online', look);
      removeEventListener('offline', look);
    };
  }, []);
  if (isOnline) return null;
  return (
    <p class="simulated" role="alert">
      <strong>No connection.</strong> What you see may be old; nothing that you typed is lost.
    </p>
  );
}
