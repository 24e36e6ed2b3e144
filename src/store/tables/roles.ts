import { isOperatorPermission, type Rights, type Role, shippedRole } from '../../../permissions/catalog.ts';
import type { RoleStore } from '../../ports/store.ts';
import type { Database } from '../engines/database.ts';
import type { RoleTable } from './tables.ts';

export function createRoleStore(database: Database): RoleStore {
  const { kysely } = database;
  return {
    async list() {
      const rows = await kysely.selectFrom('roles').selectAll().orderBy('name').execute();
      return rows.map((row) => ({ name: row.name, ...toRights(row.name, row) }));
    },

    async get(name) {
      const shipped = shippedRole(name);
      if (shipped !== undefined) return shipped;
      const row = await kysely.selectFrom('roles').selectAll().where('name', '=', name).executeTakeFirst();
      return row === undefined ? undefined : { name, ...toRights(name, row) };
    },

    async put({ name, permissions, bots }: Role, createdAt) {
      const row = { permissions: JSON.stringify(permissions), bots: bots === undefined ? null : JSON.stringify(bots) };
      await kysely
        .insertInto('roles')
        .values({ name, ...row, createdAt })
        .onConflict((conflict) => conflict.column('name').doUpdateSet(row))
        .execute();
    },

    remove: (name) =>
      database
        .transaction(async (inside) => {
          const known = await inside.kysely.deleteFrom('roles').where('name', '=', name).executeTakeFirst();
          if (known.numDeletedRows === 0n) return 'unknown';
          const holder = await inside.kysely
            .selectFrom('operators')
            .select('name')
            .where('role', '=', name)
            .executeTakeFirst();
          if (holder === undefined) return 'done';
          throw new StillHeld();
        })
        .catch((error: unknown) => {
          if (error instanceof StillHeld) return 'held';
          throw error;
        }),
  };
}

/** Takes the removal back. */
class StillHeld extends Error {}

/** What a role gives; nothing where it is not known, or holds words that are none of ours any more. */
export function toRights(
  name: string,
  row: { readonly [K in 'permissions' | 'bots']: RoleTable[K] | null } | undefined,
): Rights {
  const shipped = shippedRole(name);
  if (shipped !== undefined) return { permissions: shipped.permissions };
  const listed = (text: string | null | undefined): readonly string[] => (text == null ? [] : JSON.parse(text)); // our own writing
  const permissions = listed(row?.permissions).filter(isOperatorPermission);
  return row?.bots == null ? { permissions } : { permissions, bots: listed(row.bots) };
}
