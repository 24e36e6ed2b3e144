import { useQuery } from '@tanstack/preact-query';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { api, said, setCsrf } from './api.ts';

/** Who looks, and what they may. */
export type Session = Awaited<ReturnType<typeof readSession>>;

async function readSession() {
  const session = await said(api.GET('/api/session'));
  setCsrf(session.csrf);
  // The server's clock counts: the reader's own may be wrong.
  setClock(Date.parse(session.now) - Date.now());
  return session;
}

let offset = 0;

function setClock(ms: number): void {
  offset = ms;
}

/** A moment of the reader's clock by the server's. */
export const byServer = (ms: number) => ms + offset;

/** Milliseconds since 1970, by the server's clock. */
export const clock = () => byServer(Date.now());

export function useSessionQuery() {
  return useQuery({ queryKey: ['session'], queryFn: readSession, staleTime: 60_000 });
}

export const SessionContext = createContext<Session | undefined>(undefined);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === undefined) throw new Error('No page is drawn before the session is known.');
  return session;
}

export type Permission = Session['permissions'][number];

/** Undefined where they may; else the sentence that says who can. */
export function useMay(permission: Permission): string | undefined {
  const { permissions, operator, whoHolds } = useSession();
  if (permissions.includes(permission)) return undefined;
  return `Your role is ${operator.role}: this needs ${permission}, which ${whoHolds[permission]} has.`;
}
