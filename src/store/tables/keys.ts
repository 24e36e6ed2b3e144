import type { KeyStore } from '../../ports/store.ts';
import type { Database } from '../engines/database.ts';

export function createKeyStore({ kysely }: Database): KeyStore {
  return {
    async add(key) {
      await kysely.insertInto('keys').values(key).execute();
    },

    byHash: (hash) => kysely.selectFrom('keys').selectAll().where('hash', '=', hash).executeTakeFirst(),

    list: (owner) =>
      kysely.selectFrom('keys').selectAll().where('owner', '=', owner).orderBy('createdAt').orderBy('id').execute(),

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
