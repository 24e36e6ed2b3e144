import { createHash, randomBytes } from 'node:crypto';
import type { ConnectionRow } from '../../ports/store.ts';
import type { SyncDeps } from '../../ports/sync.ts';
import type { InboundKind, InboundToken } from '../../ports/sync-store.ts';
import type { ConnectionOf } from '../host/hosts.ts';

/** Secrets by which Salesforce proves itself at a door of ours: kept as hashes, each good for its own door. */

export type Receiver = Pick<SyncDeps, 'store' | 'now'> & { readonly connectionOf: ConnectionOf };

const DAY_MS = 86_400_000;
/** How exactly it is known when one was last used: a write a minute, however many come. */
const USED_MS = 60_000;
const LONGEST = 200;

const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');

/** A new one, shown this once. The one before it works on for a day, or not at all. */
export async function rotateToken(
  { store, now }: Pick<SyncDeps, 'store' | 'now'>,
  kind: InboundKind,
  bot: string,
  keepOldMs = DAY_MS,
): Promise<string> {
  const token = randomBytes(32).toString('base64url');
  const hash = hashOf(token);
  await store.atomically(async (inside) => {
    await inside.tokens.add({ hash, bot, kind, createdAt: now(), expiresAt: null, usedAt: null });
    await inside.tokens.expire(kind, bot, hash, now() + keepOldMs);
  });
  return token;
}

/** The token and the connection it speaks for; undefined where either is not there (any more). */
export async function receiverOf(
  { store, now, connectionOf }: Receiver,
  kind: InboundKind,
  token: string,
): Promise<{ readonly known: InboundToken; readonly connection: Pick<ConnectionRow, 'orgId'> } | undefined> {
  const isOne = token !== '' && token.length <= LONGEST;
  const known = isOne ? await store.tokens.byHash(kind, hashOf(token), now()) : undefined;
  const connection = known && (await connectionOf(known.bot));
  return known && connection && { known, connection };
}

/** Notes that something came by it. */
export async function noteUse({ store, now }: Pick<Receiver, 'store' | 'now'>, token: InboundToken): Promise<void> {
  if (token.usedAt === null || Math.abs(now() - token.usedAt) >= USED_MS) await store.tokens.used(token.hash, now());
}

/** The 15-character form names the same org. */
export const isSameOrg = (a: string, b: string): boolean => a.slice(0, 15) === b.slice(0, 15);
