import { GatehouseError } from '../../domain/errors.ts';
import type { ConnectionRow } from '../../ports/store.ts';
import type { TokenSet } from '../../ports/tokens.ts';
import { rest } from '../transport/waiting.ts';
import type { Grant } from './oauth.ts';

/**
 * What Salesforce granted and the store has not taken yet, by the key of the tokens it was granted for. With rotation these are
 * spent: asked with once more they would end the connection. So the grant waits here, and the next renewal stores it.
 */
export interface UnsavedGrants {
  of(key: string): Granted | undefined;
  add(key: string, granted: Granted): void;
  remove(key: string): void;
  /** Stores it without waiting for a caller: others may have given the connection up, and then nobody calls. */
  storeLater(row: ConnectionRow, key: string): void;
}

export interface Granted {
  readonly old: TokenSet;
  readonly grant: Grant;
}

/** Between two attempts, and how many: ten minutes. */
const AGAIN_MS = 1_000;
const MOST_TRIES = 600;

export function createUnsavedGrants(deps: {
  readonly renew: (row: ConnectionRow) => Promise<unknown>;
  readonly revoke: (row: ConnectionRow, granted: Granted) => Promise<unknown>;
}): UnsavedGrants {
  const waiting = new Map<string, Granted>();
  const storing = new Set<string>();

  async function store(row: ConnectionRow, key: string): Promise<void> {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      await rest(AGAIN_MS);
      const granted = waiting.get(key);
      if (granted === undefined) return;
      try {
        await deps.renew(row);
        waiting.delete(key);
      } catch (error) {
        if (!isUnwanted(error)) continue;
        waiting.delete(key);
        await deps.revoke(row, granted);
      }
    }
  }

  return {
    of: (key) => waiting.get(key),
    add: (key, granted) => void waiting.set(key, granted),
    remove: (key) => void waiting.delete(key),
    storeLater(row, key) {
      if (!waiting.has(key) || storing.has(key)) return;
      storing.add(key);
      store(row, key)
        .catch(() => {})
        .finally(() => storing.delete(key));
    },
  };
}

/** Nobody wants the tokens of this connection any more. */
export const isUnwanted = (error: unknown): boolean =>
  error instanceof GatehouseError && (error.code === 'not_connected' || error.code === 'reconnect_needed');
