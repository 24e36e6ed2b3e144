import type { App } from '../../app/app.ts';
import type { Envelope } from '../../domain/proposal.ts';
import type { Call } from '../../ports/gate.ts';

export interface MovedClock {
  now(): number;
  /** On to this moment; never back. */
  to(at: number): void;
}

/** What the players of the history use. */
export interface Played {
  readonly app: App;
  readonly clock: MovedClock;
  /** As the host app, or an operator at a browser, would ask over HTTP. */
  ask(method: string, path: string, body?: unknown): Promise<unknown>;
  call(action: string, args: Readonly<Record<string, unknown>>, more?: Partial<Call>): Promise<Envelope | undefined>;
  decide(envelope: Envelope | undefined, answer: 'approve' | 'reject', by?: string): Promise<void>;
  /** Everything that the worker would have done meanwhile. */
  sync(): Promise<void>;
}
