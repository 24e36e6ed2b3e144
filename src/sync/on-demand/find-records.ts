import { KINDS } from '../../domain/mapping.ts';
import type { FoundRecord, RecordSearch } from '../../ports/sync.ts';
import type { HostRecord, SyncStore } from '../../ports/sync-store.ts';
import type { ConnectionOf } from '../host/hosts.ts';
import { mappingOf } from '../remote/target.ts';

/** Records and links of some bots by the host's id or the Salesforce id, and by words of a value for who may see values. */

const MOST_OF_A_KIND = 5;
const MOST = 20;
/** What people call a record. */
const NAMES = ['name', 'title', 'email'];

export async function findRecords(
  { store, connectionOf }: { readonly store: SyncStore; readonly connectionOf: ConnectionOf },
  bots: readonly string[],
  { words, sfId, seesValues }: RecordSearch,
): Promise<readonly FoundRecord[]> {
  const found: FoundRecord[] = [];
  for (const bot of bots) {
    const connection = await connectionOf(bot);
    const scope = connection && { bot, orgId: connection.orgId };
    for (const kind of KINDS) {
      const { object } = await mappingOf(store, bot, kind);
      const records = seesValues
        ? await store.hosts.search(bot, kind, words, MOST_OF_A_KIND)
        : (await store.hosts.get(bot, kind, [words])).filter(({ deletedAt }) => deletedAt === null);
      const ids = records.map(({ id }) => id);
      const links = [
        ...(scope && sfId !== undefined ? await store.links.bySf(scope, [sfId]) : []),
        ...(scope ? await store.links.byLocal(scope, object, [...new Set([words, ...ids])]) : []),
      ].filter((link) => link.kind === kind);
      for (const localId of new Set([...links.map((link) => link.localId), ...ids])) {
        const recordId = links.find((link) => link.localId === localId)?.sfId ?? null;
        const record = records.find(({ id }) => id === localId);
        const label = seesValues && record !== undefined ? nameOf(record) : undefined;
        found.push({ bot, kind, localId, object, recordId, ...(label === undefined ? {} : { label }) });
        if (found.length >= MOST) return found;
      }
    }
  }
  return found;
}

function nameOf({ fields }: HostRecord): string | undefined {
  const named = NAMES.map((name) => fields[name]).find((value) => typeof value === 'string' && value.trim() !== '');
  return typeof named === 'string' ? named.slice(0, 200) : undefined;
}
