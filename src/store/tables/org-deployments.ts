import { DEPLOY_STATES, type DeploymentStore, isDeployOver } from '../../ports/org-deploy.ts';
import type { Database } from '../engines/database.ts';

const OVER = DEPLOY_STATES.filter(isDeployOver);

export function createDeploymentStore({ kysely }: Database): DeploymentStore {
  const rows = () => kysely.selectFrom('orgDeployments').selectAll();
  return {
    async add(row) {
      await kysely.insertInto('orgDeployments').values(row).execute();
    },
    get: (id) => rows().where('id', '=', id).executeTakeFirst(),
    byState: (stateHash) => rows().where('stateHash', '=', stateHash).executeTakeFirst(),
    list: (bot) => rows().where('bot', '=', bot).orderBy('createdAt', 'desc').orderBy('id').limit(20).execute(),
    open(bot) {
      const open = rows().where(({ or, eb }) => or([eb('state', 'not in', OVER), eb('sealed', 'is not', null)]));
      return (bot === undefined ? open : open.where('bot', '=', bot)).execute();
    },
    async patchIf(id, was, patch) {
      let update = kysely.updateTable('orgDeployments').set(patch).where('id', '=', id);
      for (const [column, value] of Object.entries(was) as [keyof typeof was, string | null][])
        update = update.where(column, value === null ? 'is' : '=', value);
      return (await update.executeTakeFirst()).numUpdatedRows === 1n;
    },
  };
}
