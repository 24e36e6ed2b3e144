import type { Cipher } from '../../ports/cipher.ts';
import type { ConnectionRow } from '../../ports/store.ts';

/**
 * What kind of org a connection leads to decides which rules hold. It is stored with a seal over the connection that it was
 * said of, so that whoever can write into the database cannot make a sandbox of production.
 */

type Sealed = Pick<ConnectionRow, 'bot' | 'id' | 'orgId' | 'environment'>;
/** A change of one of these is sealed anew. */
export const SEALED = ['id', 'orgId', 'environment'] as const satisfies readonly (keyof Sealed)[];

/** As it is stored. */
export function sealedKind(secrets: Cipher, row: Sealed): ConnectionRow['environment'] {
  // The column holds text; only `openKind` reads it.
  return `${row.environment} ${secrets.encrypt(said(row))}` as ConnectionRow['environment'];
}

/** What was stored without our seal, or for another connection, counts as the kind that is written to with most care. */
export function openKind<R extends ConnectionRow>(secrets: Cipher, row: R): R {
  const [kind = '', seal = ''] = row.environment.split(' ');
  const as = (environment: ConnectionRow['environment']) => ({ ...row, environment });
  for (const known of ['production', 'sandbox', 'simulated'] as const)
    if (kind === known && isSealed(secrets, seal, as(known))) return as(known);
  // This address leads to the embedded org and nowhere else, whoever wrote it.
  return as(row.instanceUrl === 'sim:' ? 'simulated' : 'production');
}

/** Every call reads its connection: the same seal on the same words, once opened, need not be opened again. */
const proven = new WeakMap<Cipher, Map<string, string>>();

function isSealed(secrets: Cipher, seal: string, row: Sealed): boolean {
  const words = said(row);
  const ofBots = proven.get(secrets) ?? new Map<string, string>();
  if (ofBots.get(row.bot) === `${seal} ${words}`) return true;
  try {
    if (secrets.decrypt(seal) !== words) return false;
  } catch {
    return false;
  }
  proven.set(secrets, ofBots.set(row.bot, `${seal} ${words}`));
  return true;
}

function said({ bot, id, orgId, environment }: Sealed): string {
  return JSON.stringify(['kind of a connection', bot, id, orgId, environment]);
}
