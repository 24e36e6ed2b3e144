import type { KeyStore } from '../../ports/store.ts';
import type { Database } from '../engines/database.ts';
import { createFirstReads } from '../first-reads.ts';

export function createKeyStore({ kysely, all }: Database): KeyStore {
  return {
    async add(key) {
      await kysely.insertInto('keys').values(key).execute();
    },

    ...createFirstReads(all).keys,

    list: (owner) =>
      kysely.selectFrom('keys').selectAll().where('owner', '=', owner).orderBy('createdAt').orderBy('id').execute(),

    async live(ids) {
      const rows = await kysely
        .selectFrom('keys')
        .select('id')
        .where('id', 'in', [...ids])
        .where('revokedAt', 'is', null)
        .execute();
      return rows.map(({ id }) => id);
    },

    async revoke(id, at) {
      const revoked = await kysely
        .updateTable('keys')
        .set({ revokedAt: at })
        .where('id', '=', id)
        .where('revokedAt', 'is', null)
        .executeTakeFirst();
      return revoked.numUpdatedRows === 1n;
    },
  };
}
