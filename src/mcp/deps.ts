import type { Prompt } from '../domain/prompt.ts';
import type { Scope } from '../domain/scopes.ts';
import type { Session } from '../domain/session.ts';
import type { Approvals, Gate } from '../ports/gate.ts';
import type { Log } from '../ports/log.ts';
import type { Store } from '../ports/store.ts';

/** What the MCP door needs of the house. */
export interface McpDeps {
  readonly gate: Gate;
  /** An answer in a form of the client is a person's. */
  readonly approvals: Pick<Approvals, 'decide'>;
  /** Read at the first question for prompts: a listing of tools does not wait for them. */
  readonly prompts: () => Promise<readonly Prompt[]>;
  /** Signs the state that a 2026-era client carries between its rounds. */
  readonly secret: string;
  readonly isSimulated: boolean;
  readonly store: Pick<Store, 'values'>;
  readonly now: () => number;
  readonly log: Log;
  /** Where no server of this installation runs: opens what the links lead to; false when it cannot. */
  readonly openPage?: () => Promise<boolean>;
  /** How often it is looked whether the tools have changed, ms; default 2 s. */
  readonly watchMs?: number;
  /** How long a 2025-era call stays open for its form, ms; default 45 s. */
  readonly formMs?: number;
}

/** Holds around one call, so that its session outlives it. */
export type During = <T>(work: () => Promise<T>) => Promise<T>;

/** Who is at the other end, as the transport proved it. */
export interface McpCaller {
  readonly bot: string;
  readonly principal: string;
  /** A person signed in: the grant they gave this program, and what it may ask for. Missing: a key, which may ask for all. */
  readonly grant?: string | undefined;
  readonly scopes?: readonly Scope[] | undefined;
  readonly session?: Session | undefined;
  /** Throws once this caller may call no more. The proof of a request over HTTP is as old as the request, that of standard streams as the process. */
  readonly prove?: (() => Promise<unknown>) | undefined;
  /** What the operator of the bot adds to our instructions. */
  readonly instructions?: string | undefined;
}
