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
  return whyNot(useSession(), permission);
}

/** The same of what is about every bot: of a role for some, nobody may. */
export function useMayEverywhere(permission: Permission): string | undefined {
  const session = useSession();
  const { bots, role } = session.operator;
  const of = `Your role ${role} is for ${bots?.join(', ') || 'no bot'} alone: this is about every bot, which an admin has.`;
  return whyNot(session, permission) ?? (bots === undefined ? undefined : of);
}

export function whyNot({ permissions, operator, whoHolds }: Session, permission: Permission): string | undefined {
  if (permissions.includes(permission)) return undefined;
  return `Your role is ${operator.role}: this needs ${permission}, which ${whoHolds[permission]} has.`;
}
