import { setName } from './facts/metadata.ts';
import { type LiveOrg, PREFIX } from './org.ts';

/** What every run leaves, its own and any that was killed: found by name, so that nothing need be remembered. */

/** Those that lean on others first. */
const NAMED = ['Opportunity', 'Contact', 'Lead', 'Account'] as const;

/** How many records and permission sets are gone; throws where one stays. */
export async function clean(org: LiveOrg): Promise<number> {
  let gone = 0;
  const remove = async (object: string, ids: readonly string[]) => {
    for (const id of ids) {
      const { status } = await org.api('DELETE', `/sobjects/${object}/${id}`);
      if (status !== 204 && status !== 404) throw new Error(`${object} ${id} could not be deleted: ${status}`);
      gone += 1;
    }
  };
  for (const object of NAMED) {
    const rows = await org.query(`SELECT Id FROM ${object} WHERE Name LIKE '%${PREFIX} %' LIMIT 200`);
    await remove(
      object,
      rows.map(({ Id }) => String(Id)),
    );
  }
  const sets = await org.query(`SELECT Id FROM PermissionSet WHERE Name LIKE '${setName({ run: PREFIX })}_%'`);
  await remove(
    'PermissionSet',
    sets.map(({ Id }) => String(Id)),
  );
  return gone;
}
