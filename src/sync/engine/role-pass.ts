import type { Link } from '../../domain/link.ts';
import { finished, postponed } from '../../domain/link-transitions.ts';
import type { LogRow } from '../../ports/sync-store.ts';
import { planRoles, ROLES_KEY, remoteRoles, rolesChange, rolesText, sendRoles } from '../merge/roles.ts';
import { countFailed } from './change-set.ts';
import type { Pass, RoleTask } from './pass.ts';

/** After so many tries a person has to look. */
const MOST_TRIES = 8;

export interface RolesDone extends RoleTask {
  readonly isWritten: boolean;
  readonly error: Link['error'];
}

/** The second phase of a case, under the same claim: its link is finished only here. */
export async function writeRoles(pass: Pass, queued: readonly RoleTask[]): Promise<readonly RolesDone[]> {
  const { deps, target, logRow } = pass;
  const writes = queued.flatMap(({ link, wanted, row }) =>
    planRoles({ link, wanted, there: remoteRoles(row?.record) }),
  );
  const { failed, unsent } = await sendRoles(deps, target, writes, pass);
  // Stopped before their roles: what was sent of them is found by the next pass.
  await deps.store.links.release(queued.filter(({ link }) => unsent.has(link.id)).map(({ link }) => link));
  const tasks = queued.filter(({ link }) => !unsent.has(link.id));
  const written = new Set(writes.map((write) => write.item.id));
  const answered = tasks.map(
    (task): RolesDone => ({ ...task, isWritten: written.has(task.link.id), error: failed.get(task.link.id) ?? null }),
  );
  await deps.store.atomically(async (inside) => {
    const standing = new Map((await inside.links.lock(tasks.map(({ link }) => link))).map((link) => [link.id, link]));
    const saved: Link[] = [];
    const log: LogRow[] = [];
    for (const {
      link: { id },
      dirty,
      wanted,
      isWritten,
      error,
    } of answered) {
      const link = standing.get(id);
      // The claim was lost; its next holder reads the roles and finds ours.
      if (!link) continue;
      const isAgain = error?.retryable === true && link.attempts < MOST_TRIES;
      if (isWritten && !(isAgain && link.attempts > 0)) {
        log.push(
          logRow(link, {
            error,
            direction: 'to_crm',
            operation: error ? 'none' : 'update',
            status: error ? 'failed' : 'success',
            changes: [rolesChange(link, wanted)],
          }),
        );
      }
      saved.push(
        error
          ? isAgain
            ? postponed(link, error, deps.now())
            : finished(link, dirty, error)
          : finished({ ...link, base: { ...link.base, [ROLES_KEY]: rolesText(wanted) } }, dirty, link.error),
      );
    }
    await inside.links.save(saved);
    await countFailed(inside, [...standing.values()], saved);
    await inside.log.add(log);
  });
  return answered;
}
