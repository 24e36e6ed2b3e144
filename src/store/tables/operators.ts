import { sql } from 'kysely';
import type { OperatorChange, OperatorStore } from '../../ports/store.ts';
import type { Database } from '../engines/database.ts';
import { toRights } from './roles.ts';
import type { RoleTable } from './tables.ts';

export function createOperatorStore(database: Database): OperatorStore {
  const { kysely } = database;

  /** The admins are locked while one of them changes, so that two cannot both leave because the other one stays. */
  const change = (
    name: string,
    keepsAdmin: boolean,
    work: (inside: Database) => Promise<void>,
  ): Promise<OperatorChange> =>
    database.transaction(async (inside) => {
      const admins = inside.kysely.selectFrom('operators').select('name').where('role', '=', 'admin').orderBy('name');
      const names = (await (inside.dialect === 'postgres' ? admins.forUpdate() : admins).execute()).map(
        (row) => row.name,
      );
      const known = await inside.kysely
        .selectFrom('operators')
        .select('name')
        .where('name', '=', name)
        .executeTakeFirst();
      if (known === undefined) return 'unknown';
      if (!keepsAdmin && names.length === 1 && names[0] === name) return 'last_admin';
      await work(inside);
      return 'done';
    });

  const known = () =>
    kysely
      .selectFrom('operators')
      .leftJoin('roles', 'roles.name', 'operators.role')
      .selectAll('operators')
      .select(['roles.permissions', 'roles.bots']);

  return {
    create: (operator) =>
      database.transaction(async ({ kysely }) => {
        // Ada and ada would be two persons to four eyes, and one to whoever reads the log.
        const alike = await kysely
          .selectFrom('operators')
          .select('name')
          .where(sql`lower("name")`, '=', operator.name.toLowerCase())
          .executeTakeFirst();
        if (alike !== undefined) return false;
        const made = await kysely
          .insertInto('operators')
          .values(operator)
          .onConflict((conflict) => conflict.column('name').doNothing())
          .executeTakeFirst();
        return made.numInsertedOrUpdatedRows === 1n;
      }),

    async get(name) {
      const row = await known().where('operators.name', '=', name).executeTakeFirst();
      return row === undefined ? undefined : withRights(row);
    },

    list: async () =>
      (await known().orderBy('operators.createdAt').orderBy('operators.name').execute()).map(withRights),

    setRole: (name, role) =>
      change(name, role === 'admin', async (inside) => {
        await inside.kysely.updateTable('operators').set({ role }).where('name', '=', name).execute();
      }),

    remove: (name, at) =>
      change(name, false, async (inside) => {
        await inside.kysely.deleteFrom('sessions').where('operator', '=', name).execute();
        await inside.kysely.deleteFrom('signInLinks').where('operator', '=', name).execute();
        await inside.kysely.deleteFrom('authCodes').where('operator', '=', name).execute();
        await inside.kysely.deleteFrom('accessGrants').where('operator', '=', name).execute();
        await inside.kysely
          .updateTable('keys')
          .set({ revokedAt: at })
          .where('owner', '=', name)
          .where('kind', '=', 'operator')
          .where('revokedAt', 'is', null)
          .execute();
        await inside.kysely.deleteFrom('operators').where('name', '=', name).execute();
      }),

    async addLink(hash, operator, expiresAt) {
      await kysely.insertInto('signInLinks').values({ hash, operator, expiresAt }).execute();
    },

    async redeemLink(hash, now) {
      // Deleting is the redemption: of two clicks at once only one gets the row back.
      const link = await kysely
        .deleteFrom('signInLinks')
        .where('hash', '=', hash)
        .returning(['operator', 'expiresAt'])
        .executeTakeFirst();
      return link !== undefined && link.expiresAt > now ? link.operator : undefined;
    },

    async addSession(session) {
      await kysely.deleteFrom('sessions').where('expiresAt', '<=', session.createdAt).execute();
      await kysely.insertInto('sessions').values(session).execute();
    },

    session: (hash, now) =>
      kysely
        .selectFrom('sessions')
        .selectAll()
        .where('hash', '=', hash)
        .where('expiresAt', '>', now)
        .executeTakeFirst(),

    async sessionRoles(hashes, now) {
      const rows = await known()
        .innerJoin('sessions', 'sessions.operator', 'operators.name')
        .select('sessions.hash')
        .where('sessions.hash', 'in', [...hashes])
        .where('sessions.expiresAt', '>', now)
        .execute();
      return rows.map(({ hash, ...row }) => ({ hash, ...withRights(row) }));
    },

    async endSession(hash) {
      await kysely.deleteFrom('sessions').where('hash', '=', hash).execute();
    },
  };
}

function withRights<O extends { readonly role: string }>({
  permissions,
  bots,
  ...operator
}: O & { readonly [K in 'permissions' | 'bots']: RoleTable[K] | null }) {
  return { ...operator, ...toRights(operator.role, { permissions, bots }) };
}
