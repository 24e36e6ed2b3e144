import { readsAsReference } from '../../domain/graph-reference.ts';
import type { Link } from '../../domain/link.ts';
import { freed, linkedTo } from '../../domain/link-transitions.ts';
import type { Refusal } from '../../domain/refusal.ts';
import type { GraphNode, GraphOutcome } from '../../ports/salesforce.ts';
import { newRoles, type Role } from '../merge/roles.ts';
import { ROLE } from '../remote/policy-bounds.ts';
import { marksOf } from '../remote/target.ts';
import { type Answered, asUnsent } from './acknowledge.ts';
import type { PendingWrite } from './change-set.ts';
import type { Known } from './known.ts';
import { MOST_WITHOUT, withoutRefused } from './left-behind.ts';
import type { Pass, UnmadeParent } from './pass.ts';
import { answerTo, forgetWrites } from './send.ts';

/**
 * A record that is not there yet, the account that has to be made for it and the contact roles that lean on it: all of them or none, in
 * one call. Our mark is a value of the create and not its key, so a graph that comes twice, or late, is refused whole: an upsert would go
 * through and add its roles once more.
 */

/** What Salesforce takes in one call. */
const MOST_GRAPHS = 75;
const MOST_NODES = 500;
const RECORD = 'record';
/** After a call that failed, records go one after the other for so long: of an org that refuses graphs each would fail again. */
const REST_MS = 600_000;

interface FirstWrite {
  readonly write: PendingWrite;
  readonly roles: readonly Role[];
  readonly parent: UnmadeParent | undefined;
  readonly nodes: readonly GraphNode[];
}

export interface SentTogether {
  readonly answered: readonly Answered[];
  /** What goes one after the other, as ever: what leans on nothing, and what was refused, less the fields that were. */
  readonly rest: readonly PendingWrite[];
  /** What has to be looked at again: its account is made first. */
  readonly again: readonly Link[];
}

/** Sends what may go as graphs, unless that would cost more calls than one after the other. */
export async function sendTogether(
  pass: Pass,
  known: Known,
  writes: readonly PendingWrite[],
  tries = 0,
): Promise<SentTogether> {
  const firsts = writes.flatMap((write) => toFirstWrite(pass, known, write) ?? []);
  const others = writes.filter((write) => !firsts.some((first) => first.write === write));
  // What names an account that is not made cannot go by itself either.
  const stuck = (await holdsParent(pass)) ? others : writes;
  if (stuck.some((write) => leansOnUnmade(pass, write))) return oneByOne(pass, writes);
  const nodes = firsts.reduce((sum, one) => sum + one.nodes.length, 0);
  const isDearer = others.length > 0 && (pass.hasRoles || others.some(({ host, link }) => known.hasMore(host, link)));
  const fits = firsts.length > 0 && firsts.length <= MOST_GRAPHS && nodes <= MOST_NODES;
  if (!fits || isDearer || !(await pass.mayGoOn())) return { ...NOTHING, rest: writes };
  const { lesser, ...sent } = await send(pass, firsts, tries < MOST_WITHOUT);
  const more = lesser.length > 0 ? await sendTogether(pass, known, lesser, tries + 1) : NOTHING;
  return {
    answered: [...sent.answered, ...more.answered],
    rest: [...sent.rest, ...more.rest, ...others],
    again: [...sent.again, ...more.again],
  };
}

const NOTHING: SentTogether = { answered: [], rest: [], again: [] };

/** Undefined where nothing leans on the record, or where it must not go so. */
function toFirstWrite(pass: Pass, known: Known, write: PendingWrite): FirstWrite | undefined {
  const { object, externalId, compiled } = pass.target;
  const { kind, link, host } = write;
  // A second try goes by itself, where answers say more.
  if (kind !== 'create' || link.attempts > 0 || !pass.mayGoTogether) return undefined;
  const roles = known.hasMore(host, link) ? known.wantedRoles(host) : [];
  const parent = leansOnUnmade(pass, write) ? pass.unmade : undefined;
  if (roles.length === 0 && parent === undefined) return undefined;
  const mark = externalId === undefined ? {} : { [externalId]: marksOf(pass.target, link)[0] };
  const record: GraphNode = {
    id: RECORD,
    object,
    fields: { ...write.fields, ...mark, ...(parent ? leaning(write, parent) : {}) },
    allowDuplicates: compiled.mapping.allowDuplicates,
  };
  const nodes = [
    ...(parent ? [parent.node] : []),
    record,
    ...newRoles(roles, { from: record.id }).map((fields, at) => ({ id: `role${at}`, object: ROLE, fields })),
  ];
  const values = nodes.flatMap(({ fields }) => Object.values(fields));
  if (values.some((value) => typeof value !== 'object' && readsAsReference(value))) return undefined;
  return { write, roles, parent, nodes };
}

const leansOnUnmade = ({ unmade }: Pass, { fields }: PendingWrite): boolean =>
  unmade !== undefined && Object.values(fields).includes(unmade.place);

const leaning = ({ fields }: PendingWrite, { place, node }: UnmadeParent) =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value === place ? [[name, { from: node.id }]] : [])),
  );

/** One call. `lesser`: what was refused for single fields, without them. */
async function send(
  pass: Pass,
  firsts: readonly FirstWrite[],
  mayLeaveBehind: boolean,
): Promise<SentTogether & { readonly lesser: readonly PendingWrite[] }> {
  const { deps, target, shared } = pass;
  const writes = firsts.map(({ write }) => write);
  let outcomes: readonly GraphOutcome[];
  pass.onCall();
  try {
    outcomes = await target.org.graph(firsts.map(({ nodes }) => nodes));
  } catch (error) {
    shared.graphsRestUntil.set(target.scope.orgId, deps.now() + REST_MS);
    const failure = await answerTo(pass, writes, error);
    if (failure !== 'changed' && failure.mayBeDone === true)
      return { ...NOTHING, lesser: [], answered: writes.map((write) => failed(write, failure)) };
    return { ...(pass.unmade ? await oneByOne(pass, writes) : { ...NOTHING, rest: writes }), lesser: [] };
  }
  await deps.crash?.('graph-sent');
  const answered: Answered[] = [];
  const lesser: PendingWrite[] = [];
  const refused: PendingWrite[] = [];
  for (const [at, { write, parent, roles, nodes }] of firsts.entries()) {
    const outcome = outcomes[at];
    if (outcome === undefined) throw new TypeError('A graph has no outcome.');
    if ('records' in outcome) {
      const ids = new Map(nodes.map(({ id }, index) => [id, outcome.records[index]?.id ?? '']));
      if (parent) await finishParent(pass, parent, ids.get(parent.node.id) ?? '');
      const id = ids.get(RECORD) ?? '';
      answered.push({ write, outcome: { kind: 'written', id, isCreated: true, roles } });
      continue;
    }
    const failure = await answerTo(pass, [write], outcome.failure);
    const isOfRecord = outcome.node === RECORD;
    const less = failure !== 'changed' && isOfRecord && mayLeaveBehind && withoutRefused(target, write, failure);
    if (failure === 'changed') refused.push(write);
    // What bears our mark by now, or may be made in spite of the answer, is looked for before anything else is sent.
    else if (failure.mayBeDone === true || failure.then === 'reread') answered.push(failed(write, failure));
    else if (less) lesser.push(less);
    // Its account would be left alone. A look-alike is named only to who sends the record by itself.
    else if (parent && isOfRecord && failure.then !== 'match') answered.push(failed(write, failure));
    else refused.push(write);
  }
  // One after the other says which of them is why, and the others go.
  const isStuck = refused.some((write) => leansOnUnmade(pass, write));
  const left = isStuck ? await oneByOne(pass, refused) : { ...NOTHING, rest: refused };
  return { ...left, answered, lesser };
}

const failed = (write: PendingWrite, failure: Refusal): Answered => ({ write, outcome: { kind: 'failed', failure } });

/** The next round makes the account by itself. */
async function oneByOne(pass: Pass, writes: readonly PendingWrite[]): Promise<SentTogether> {
  await releaseParent(pass);
  pass.isOneByOne = true;
  await forgetWrites(pass, writes);
  const isBlind = pass.target.externalId === undefined;
  return { ...NOTHING, again: writes.map(({ link }) => (isBlind ? asUnsent(link, pass.deps.now()) : link)) };
}

/** Another process may have taken the account over while this one stood still. */
async function holdsParent({ deps: { store }, unmade }: Pass): Promise<boolean> {
  return unmade === undefined || (await store.atomically(({ links }) => links.lock([unmade.link]))).length === 1;
}

async function finishParent({ deps: { store } }: Pass, { link }: UnmadeParent, id: string): Promise<void> {
  await store.links.save([{ ...linkedTo(freed(link), id), done: link.dirty }]);
}

export async function releaseParent(pass: Pass): Promise<void> {
  const { unmade } = pass;
  pass.unmade = undefined;
  if (unmade) await pass.deps.store.links.release([unmade.link]);
}
