import { isWithin } from '../../../permissions/catalog.ts';
import type { AccessGrantRow, AccessTokenRow, IdentityStore } from '../../ports/store.ts';
import type { Database } from '../engines/database.ts';
import { toRights } from './roles.ts';

export function createIdentityStore({ kysely }: Database): IdentityStore {
  const grantWhere = (column: 'id' | 'codeHash', value: string): Promise<AccessGrantRow | undefined> =>
    kysely.selectFrom('accessGrants').selectAll().where(column, '=', value).executeTakeFirst();

  return {
    async addCode(code) {
      await kysely.insertInto('authCodes').values(code).execute();
    },

    takeCode: (hash) => kysely.deleteFrom('authCodes').where('hash', '=', hash).returningAll().executeTakeFirst(),

    async addGrant(grant) {
      await kysely.insertInto('accessGrants').values(grant).execute();
    },

    async addTokens(tokens) {
      await kysely
        .insertInto('accessTokens')
        .values([...tokens])
        .execute();
    },

    grantOfCode: (codeHash) => grantWhere('codeHash', codeHash),
    get: (id) => grantWhere('id', id),

    async token(hash) {
      const row = await kysely
        .selectFrom('accessTokens as token')
        .innerJoin('accessGrants as given', 'given.id', 'token.grant')
        .innerJoin('operators as person', 'person.name', 'given.operator')
        .innerJoin('bots as bot', 'bot.name', 'given.bot')
        .selectAll('given')
        .leftJoin('roles', 'roles.name', 'person.role')
        .select(['person.role', 'roles.permissions', 'roles.bots'])
        .select(['token.kind', 'token.rotatedAt', 'token.expiresAt as tokenExpiresAt'])
        .where('token.hash', '=', hash)
        .executeTakeFirst();
      if (row === undefined) return undefined;
      const { role, permissions, bots, kind, rotatedAt, tokenExpiresAt, ...grant } = row;
      const token: AccessTokenRow = { hash, grant: grant.id, kind, rotatedAt, expiresAt: tokenExpiresAt };
      return { token, grant, rights: toRights(role, { permissions, bots }) };
    },

    async standing(ids, now) {
      const rows = await kysely
        .selectFrom('accessGrants as given')
        .innerJoin('operators as person', 'person.name', 'given.operator')
        .innerJoin('bots as bot', 'bot.name', 'given.bot')
        .leftJoin('roles', 'roles.name', 'person.role')
        .select(['given.id', 'given.bot', 'person.role', 'roles.permissions', 'roles.bots'])
        .where('given.id', 'in', [...ids])
        .where('given.expiresAt', '>', now)
        .execute();
      return rows.filter(({ role, bot, ...row }) => isWithin(toRights(role, row), bot)).map(({ id }) => id);
    },

    async holdGrant(id, times) {
      const held = await kysely.updateTable('accessGrants').set(times).where('id', '=', id).executeTakeFirst();
      return held.numUpdatedRows === 1n;
    },

    async noteUse(id, usedAt) {
      await kysely.updateTable('accessGrants').set({ usedAt }).where('id', '=', id).execute();
    },

    async rotate(hash, rotatedAt) {
      await kysely
        .updateTable('accessTokens')
        .set({ rotatedAt })
        .where('hash', '=', hash)
        .where('rotatedAt', 'is', null)
        .execute();
    },

    async end(id) {
      const gone = await kysely.deleteFrom('accessGrants').where('id', '=', id).executeTakeFirst();
      await kysely.deleteFrom('accessTokens').where('grant', '=', id).execute();
      return gone.numDeletedRows === 1n;
    },

    list: (operator) => {
      const all = kysely.selectFrom('accessGrants').selectAll().orderBy('createdAt', 'desc').orderBy('id');
      return (operator === undefined ? all : all.where('operator', '=', operator)).execute();
    },

    async prune(now) {
      for (const table of ['authCodes', 'accessTokens', 'accessGrants'] as const)
        await kysely.deleteFrom(table).where('expiresAt', '<=', now).execute();
    },
  };
}
