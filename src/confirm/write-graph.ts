import type { FieldValue, GraphStep, Salesforce, SObject } from '../domain/action.ts';
import { EXTERNAL_ID, externalIdOf } from '../domain/external-id.ts';
import type { RecordedWrite } from '../domain/proposal.ts';
import type { GraphNode } from '../ports/salesforce.ts';
import { type ObjectValues, valuesOf } from './object-values.ts';
import { findGraph, linked } from './read-back.ts';
import { changedMeanwhile } from './refusals.ts';
import { mustLookAsShown, shownOf } from './shown.ts';
import type { WriteOnceDeps } from './write-deps.ts';

/** Several records in one write: all of them are recorded before it leaves, and one look says what became of all. */

export interface GraphTools {
  readonly deps: Pick<WriteOnceDeps, 'org' | 'proposalId' | 'shown' | 'isUnknownOutcome' | 'mayBeDone'>;
  /** What is recorded of this graph, in the order of its steps; empty on its first run. */
  readonly recorded: readonly RecordedWrite[];
  /** Ordinal of its first effect. */
  readonly first: number;
  /** Makes all of them durable at once. */
  readonly put: (effects: readonly RecordedWrite[]) => Promise<void>;
  /** Records them as what is about to be sent; throws where this process stood still since. */
  readonly begin: (writes: readonly Omit<RecordedWrite, 'at' | 'orgAt'>[]) => Promise<readonly RecordedWrite[]>;
  /** Throws while a recorded request may still be under way. */
  readonly mustHaveSettled: () => void;
  /** Throws where nothing new may leave any more. */
  readonly mustBeInTime: () => Promise<void>;
  readonly settledTime: (object: string, record: SObject, values: ObjectValues) => Promise<string>;
}

export async function writeGraph(
  tools: GraphTools,
  steps: readonly GraphStep[],
  options: { readonly allowDuplicates?: boolean } = {},
): ReturnType<Salesforce['graph']> {
  const { deps, recorded, put } = tools;
  if (recorded.length > 0 && recorded.every(({ state }) => state === 'done')) return idsOf(recorded);
  if (recorded.some(({ state }) => state === 'sent')) {
    const found = await findGraph(deps.org, recorded);
    if (found !== undefined) {
      await put(found);
      return idsOf(found);
    }
    tools.mustHaveSettled();
  }
  const planned: Planned[] = [];
  for (const step of steps) planned.push(await plan(tools, step, steps, planned.length));
  // By that clock alone a record without a mark is found again.
  if (planned.some(({ effect: { kind, mark } }) => kind === 'create' && mark === null)) await deps.org.hearClock();
  await tools.mustBeInTime();
  const effects = await tools.begin(planned.map(({ effect }) => effect));
  const nodes = planned.flatMap(({ node }) => (node === undefined ? [] : [{ ...node, ...options }]));
  const done = nodes.length === 0 ? effects : await send(tools, effects, nodes);
  const written = withHeld(
    done.map((effect) => ({ ...effect, state: 'done' as const })),
    await held(tools, steps, done),
  );
  await put(written);
  return idsOf(written);
}

interface Planned {
  readonly effect: Omit<RecordedWrite, 'at' | 'orgAt'>;
  /** Undefined where the record holds it all already. */
  readonly node: GraphNode | undefined;
}

async function plan(
  { deps, recorded, first, ...tools }: GraphTools,
  step: GraphStep,
  steps: readonly GraphStep[],
  at: number,
): Promise<Planned> {
  const { org } = deps;
  const { object, record, name } = step;
  const values = await valuesOf(org, object);
  const links: Record<string, { readonly from: string }> = {};
  const given: Record<string, FieldValue> = {};
  for (const [field, value] of Object.entries(step.fields)) {
    const parent = isLink(value) ? steps.find((other) => other.name === value.from)?.record : undefined;
    if (!isLink(value)) given[field] = value;
    else if (parent !== undefined) given[field] = parent.Id;
    else links[field] = value;
  }
  const stored = values.stored(given);
  const wanted =
    record === undefined
      ? stored
      : Object.fromEntries(
          Object.entries(stored).filter(([field, value]) => !values.isSame(field, record[field], value)),
        );
  const references = Object.fromEntries(
    Object.entries(links).map(([field, { from }]) => [
      field,
      { from: first + steps.findIndex((one) => one.name === from) },
    ]),
  );
  const fields = [...Object.keys(wanted), ...Object.keys(links)];
  const isWritten = record === undefined || fields.length > 0;
  const marked = record === undefined && externalIdOf(await org.describe(object)) !== undefined;
  const mark = marked ? (recorded[at]?.mark ?? `gh-${deps.proposalId}-${first + at}`) : null;
  if (record !== undefined && isWritten && recorded.length === 0 && deps.shown !== null)
    mustLookAsShown(record, shownOf(deps.shown, name), values, Object.keys(wanted));
  /**
   * Whether the condition of a node is looked at nobody has said, so the record itself is, right before.
   * https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/intro_rest_conditional_requests.htm
   */
  const standing = async (of: string, seen: SObject) => {
    const since = await tools.settledTime(of, seen, values);
    const { LastModifiedDate } = await org.get(of, seen.Id, ['LastModifiedDate']);
    if (LastModifiedDate !== since) throw changedMeanwhile(of, ['LastModifiedDate']);
    return since;
  };
  return {
    effect: {
      kind: record === undefined ? 'create' : 'update',
      object,
      id: record?.Id ?? null,
      mark,
      before: record === undefined ? {} : Object.fromEntries(fields.map((field) => [field, record[field] ?? null])),
      after: { ...wanted, ...references },
      state: isWritten ? 'sent' : 'done',
      graph: first,
    },
    node: isWritten
      ? {
          id: name,
          object,
          fields: { ...wanted, ...links },
          ...(mark === null ? {} : { key: { field: EXTERNAL_ID, value: mark } }),
          ...(record === undefined
            ? {}
            : { record: { id: record.Id, unmodifiedSince: await standing(object, record) } }),
        }
      : undefined,
  };
}

/** Answers the effects with their Ids, of a graph that stands; throws where it does not, or nobody knows. */
async function send(
  { deps, put }: GraphTools,
  effects: readonly RecordedWrite[],
  nodes: readonly GraphNode[],
): Promise<readonly RecordedWrite[]> {
  const once = async () => {
    const [outcome] = await deps.org.graph([nodes]);
    if (outcome === undefined || 'failure' in outcome)
      throw outcome?.failure ?? new TypeError('a graph has no outcome');
    return outcome.records;
  };
  // By their marks it is the same records again.
  const mayRepeat = nodes.every(({ key }) => key !== undefined);
  try {
    const records = await once().catch((error: unknown) => {
      if (mayRepeat && deps.isUnknownOutcome(error)) return once();
      throw error;
    });
    const ids = records.values();
    return linked(
      effects.map((effect) =>
        effect.state === 'done' ? effect : { ...effect, id: ids.next().value?.id ?? effect.id },
      ),
    );
  } catch (error) {
    const isLost = deps.isUnknownOutcome(error);
    const isOpen = isLost || deps.mayBeDone(error);
    const looked = isOpen
      ? await findGraph(deps.org, effects).then(
          (found) => ({ found }),
          () => undefined,
        )
      : { found: undefined };
    if (looked?.found !== undefined) return looked.found;
    if (!isLost && looked !== undefined) await put(effects.map((effect) => ({ ...effect, state: 'failed' as const })));
    throw error;
  }
}

/** What the org stored where describe says that it may be something else than was sent: an undo compares with that. */
async function held(
  { deps: { org } }: GraphTools,
  steps: readonly GraphStep[],
  effects: readonly RecordedWrite[],
): Promise<readonly (SObject | undefined)[]> {
  const found: (SObject | undefined)[] = [];
  for (const [at, { object, id, after }] of effects.entries()) {
    const values = await valuesOf(org, object);
    const fields = Object.keys(after);
    const asks = id !== null && fields.some((field) => values.mayDiffer(field, steps[at]?.record));
    found.push(asks ? await org.get(object, id, fields).catch(() => undefined) : undefined);
  }
  return found;
}

function withHeld(
  effects: readonly RecordedWrite[],
  found: readonly (SObject | undefined)[],
): readonly RecordedWrite[] {
  return effects.map((effect, at) => {
    const record = found[at];
    if (record === undefined) return effect;
    const after = Object.fromEntries(
      Object.entries(effect.after).map(([field, value]) => [field, record[field] ?? value]),
    );
    return { ...effect, after };
  });
}

const isLink = (value: GraphStep['fields'][string]): value is { readonly from: string } =>
  typeof value === 'object' && value !== null;

const idsOf = (effects: readonly RecordedWrite[]) => effects.map(({ id }) => ({ id: id ?? '' }));
