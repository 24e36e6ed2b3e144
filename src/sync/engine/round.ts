import type { Link } from '../../domain/link.ts';
import type { PendingWrite } from './change-set.ts';
import { MOST_ROWS } from './chunk-size.ts';
import { releaseParent } from './first-write.ts';
import { type Known, queueRoles, readBothSides } from './known.ts';
import type { Pass } from './pass.ts';
import { writeRoles } from './role-pass.ts';
import { forgetWrites } from './send.ts';
import { mergeChunk } from './settle.ts';
import { eachAlone } from './single-records.ts';
import { Outgoing } from './write.ts';

/**
 * Read Salesforce, merge in local transactions, write, acknowledge; then the contact roles. Answers the links that have to be
 * looked at again, because the world moved. It may die anywhere: what it sent is written down before, and the next pass knows
 * it again.
 */
export async function round(pass: Pass, claims: readonly Link[], mustRead: boolean): Promise<readonly Link[]> {
  const { store, crash } = pass.deps;
  await crash?.('claimed');
  if (!(await pass.mayGoOn())) {
    await store.links.release(claims);
    return [];
  }
  try {
    return await sync(pass, claims, mustRead);
  } finally {
    await releaseParent(pass);
  }
}

async function sync(pass: Pass, claims: readonly Link[], mustRead: boolean): Promise<readonly Link[]> {
  const { store } = pass.deps;
  const known = await readBothSides(pass, claims, mustRead);
  const outgoing = new Outgoing(pass, known);
  const left: PendingWrite[] = [];
  let renewedAt = pass.deps.now();
  for (let first = 0; first < claims.length; first += MOST_ROWS) {
    const rest = claims.slice(first);
    if (!(await pass.mayGoOn())) {
      await store.links.release(rest);
      break;
    }
    renewedAt = await renew(pass, rest, renewedAt);
    const writes = await merge(pass, known, rest.slice(0, MOST_ROWS));
    const { rest: sent, unsent } = (await pass.how.bulk?.take(pass, writes)) ?? { rest: writes, unsent: [] };
    left.push(...unsent);
    await outgoing.send(sent);
  }
  await outgoing.sendRest();
  // What was merged and not sent is left: its intents are written down, and the next pass looks first.
  const unsent = [...left, ...outgoing.unsent()];
  await forgetWrites(pass, unsent);
  await store.links.release(unsent.map(({ link }) => link));
  await finishRoles(pass);
  return outgoing.again;
}

/** Renewing is for passes that take long: the rest of a window costs as much to renew as to sync. */
async function renew({ deps, shared }: Pass, rest: readonly Link[], renewedAt: number): Promise<number> {
  const { leaseMs } = shared.settings;
  if (deps.now() - renewedAt <= leaseMs / 3) return renewedAt;
  await deps.store.links.renew(rest, deps.now() + leaseMs);
  return deps.now();
}

/** Merges a chunk in one transaction; notes what is settled without a write, and answers the writes. */
async function merge(pass: Pass, known: Known, claims: readonly Link[]): Promise<readonly PendingWrite[]> {
  const { deps, target, how, logRow } = pass;
  const { byLink: readResults, readSince, parents, fieldTimes, hasMore } = known;
  const merged = await eachAlone(pass, claims, (claims) =>
    mergeChunk(deps.store, {
      ...{ target, claims, readResults, readSince, parents, fieldTimes, hasMore, logRow },
      mayWrite: how.mayWrite,
      now: deps.now(),
      sfNow: target.org.clock(),
    }),
  );
  await deps.crash?.('merged');
  for (const { link, plan, error, host } of merged.flatMap(({ settled }) => settled)) {
    const isLinked = link.sfId !== null;
    pass.note({ link, pulled: plan?.pulled ?? [], error, isPartial: isLinked && (plan?.problems.length ?? 0) > 0 });
    if (host && plan && isLinked) queueRoles(pass, known, host, link, link.dirty);
  }
  return merged.flatMap(({ writes }) => writes);
}

async function finishRoles(pass: Pass): Promise<void> {
  const tasks = pass.takeRoles();
  if (tasks.length === 0) return;
  for (const { link, wanted, isWritten, error } of await writeRoles(pass, tasks)) {
    const known = pass.results.get(link.id);
    if (!known) continue;
    const operation = known.operation === 'none' && isWritten ? 'update' : known.operation;
    const failed = error ? { error, isPartial: false } : {};
    pass.results.set(link.id, { ...known, operation, roles: wanted, ...failed });
  }
}
