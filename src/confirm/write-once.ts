import type { Change, Fields, FieldValue, Invocation, Invoked, Salesforce, SObject } from '../domain/action.ts';
import type { GatehouseError } from '../domain/errors.ts';
import { EXTERNAL_ID, externalIdOf } from '../domain/external-id.ts';
import type { LeaseWatch } from '../domain/lease-watch.ts';
import type { RecordedWrite } from '../domain/proposal.ts';
import { type ObjectValues, valuesOf } from './object-values.ts';
import { findCreated, findGraph, isGone, isNotFound } from './read-back.ts';
import { changedMeanwhile, clocksDiffer, mayHaveRun, NotTaken, overtaken, stillUnknown, tooLate } from './refusals.ts';
import { createSettledTime } from './settled-time.ts';
import { mustLookAsShown, shownOf } from './shown.ts';
import type { WriteOnceDeps } from './write-deps.ts';
import { writeGraph } from './write-graph.ts';

/**
 * The org as an action writes to it: each write happens once per proposal, also when the process dies in between.
 * A write is recorded before it is sent. When the same proposal runs again, a recorded write is read back first and sent again only
 * when it provably did not happen.
 */

/** Whether a recorded write has stood as it is for `ms` before this process's eyes. */
export function hasStood(
  watch: LeaseWatch,
  proposal: string,
  ordinal: number,
  { at, state }: RecordedWrite,
  ms: number,
): boolean {
  return watch.hasStood(`effect ${ordinal} of ${proposal}`, `${at} ${state}`, ms);
}

export function writeOnce(deps: WriteOnceDeps): Pick<
  Salesforce,
  'create' | 'update' | 'remove' | 'graph' | 'invoke'
> & {
  readonly effects: () => readonly RecordedWrite[];
  /** What became of recorded writes whose answer is missing, where the action itself cannot tell; an error where somebody overtook one. */
  readonly lookUp: () => Promise<GatehouseError | undefined>;
} {
  const { org, now } = deps;
  const effects: RecordedWrite[] = [...deps.recorded];
  let ordinal = 0;

  const putAll = async (first: number, written: readonly RecordedWrite[]) => {
    for (const [index, effect] of written.entries()) {
      effects[first + index] = effect;
      // The watch starts before the write is sent; in another process it starts when that first sees the write.
      deps.hasSettled(first + index, effect);
    }
    await deps.record(effects);
  };
  const put = (at: number, effect: RecordedWrite) => putAll(at, [effect]);
  /** All that was recorded together with this one. */
  const graphOf = (first: number) => effects.filter(({ graph }) => graph === first);

  /** Records writes that belong together; only then they may be sent. */
  const beginAll = async (
    first: number,
    writes: readonly Omit<RecordedWrite, 'at' | 'orgAt'>[],
  ): Promise<readonly RecordedWrite[]> => {
    const begun: readonly RecordedWrite[] = writes.map((write) => ({ ...write, at: now(), orgAt: org.clock() }));
    await putAll(first, begun);
    // This process may have stood still in between. Where another one has it by now, this throws.
    const late = begun.find((effect, index) => effect.state === 'sent' && deps.isTooOld(first + index, effect));
    if (late === undefined) return begun;
    await putAll(
      first,
      begun.map((effect) => ({ ...effect, state: 'failed' })),
    );
    throw tooLate(late.object);
  };
  const begin = async (at: number, write: Omit<RecordedWrite, 'at' | 'orgAt' | 'state'>): Promise<RecordedWrite> => {
    const [effect] = await beginAll(at, [{ ...write, state: 'sent' }]);
    return effect!; // as many as were given
  };

  /** Reads the record once more where describe says that the org may store something else than was sent. */
  const readBack = async (values: ObjectValues, object: string, id: string, after: Fields, record?: SObject) => {
    if (!Object.keys(after).some((field) => values.mayDiffer(field, record))) return undefined;
    return org.get(object, id, Object.keys(after)).catch(() => undefined);
  };

  /** Records what the org stored, if it differs: a repeat and an undo compare with that. */
  const keep = async (at: number, after: Fields): Promise<Fields> => {
    const effect = effects[at];
    const isNews =
      effect !== undefined && Object.entries(after).some(([field, value]) => effect.after[field] !== value);
    if (effect !== undefined && isNews) await put(at, { ...effect, after });
    return after;
  };

  /** After a write that failed: throws where Salesforce refused it. `isDone` looks at the record; undefined where that cannot be read. */
  const settle = async (
    at: number,
    effect: RecordedWrite,
    error: unknown,
    isDone: () => Promise<boolean | undefined>,
  ) => {
    const isLost = deps.isUnknownOutcome(error);
    const done = isLost || deps.mayBeDone(error) ? await isDone() : false;
    if (done === true) return;
    if (!isLost && done === false) await put(at, { ...effect, state: 'failed' });
    throw error;
  };

  /** The request of a dead process may still be under way: nobody may send a second one yet. */
  const mayNotBeUnderWay = (at: number, effect: RecordedWrite) => {
    if (!deps.hasSettled(at, effect)) throw stillUnknown(effect.object);
  };
  /** Marks a recorded write that did not happen as failed; otherwise its proposal would end as unknown. */
  const mustBeInTime = async (at: number, object: string) => {
    const why = deps.whyLate();
    if (why === undefined) return;
    const recorded = effects[at];
    if (recorded !== undefined) await put(at, { ...recorded, state: 'failed' });
    throw why === 'clocks' ? clocksDiffer() : tooLate(object);
  };

  const settledTime = createSettledTime(deps);

  const didNotHappen = async (at: number, effect: RecordedWrite) => {
    mayNotBeUnderWay(at, effect);
    await put(at, { ...effect, state: 'failed' });
  };

  return {
    effects: () => effects,

    async lookUp() {
      for (const [at, effect] of effects.entries()) {
        const { kind, object, id, before, after, graph } = effect;
        // One look settles a whole graph.
        if (effects[at]?.state !== 'sent') continue;
        if (graph !== undefined) {
          const group = graphOf(graph);
          const found = await findGraph(org, group);
          if (found === undefined) for (const [index, one] of group.entries()) mayNotBeUnderWay(graph + index, one);
          await putAll(graph, found ?? group.map((one) => ({ ...one, state: 'failed' })));
          continue;
        }
        if (kind === 'create') {
          const found = await findCreated(org, effect);
          if (found === undefined) await didNotHappen(at, effect);
          else await put(at, { ...effect, id: found, state: 'done' });
          continue;
        }
        // What code of the org did nobody can read back.
        if (kind === 'invoke' || id === null) continue;
        if (kind === 'remove') {
          const gone = await isGone(org, object, id);
          if (gone === true) await put(at, { ...effect, state: 'done' });
          else if (gone === false) await didNotHappen(at, effect);
          continue;
        }
        const values = await valuesOf(org, object);
        const record = await org.get(object, id, Object.keys(after)).catch((error: unknown) => {
          if (isNotFound(error)) return undefined;
          throw error;
        });
        if (record === undefined) return overtaken(object);
        if (values.holds(record, after)) await put(at, { ...effect, state: 'done' });
        else if (!values.holds(record, before)) return overtaken(object, Object.keys(after));
        else await didNotHappen(at, effect);
      }
      return undefined;
    },

    async create(object, fields, options) {
      const at = ordinal++;
      const before = effects[at];
      const values = await valuesOf(org, object);
      const after = values.stored(clean(fields));
      if (before?.state === 'done' && before.id !== null) return { id: before.id };
      // The mark of the first request, if there was one: a field that was installed since does not hold it.
      const mark =
        before === undefined
          ? externalIdOf(await org.describe(object)) !== undefined
            ? `gh-${deps.proposalId}-${at}`
            : null
          : before.mark;
      // With a mark the create can be repeated safely. Without one, or when its time is over, the record is looked for.
      if (before?.state === 'sent' && (mark === null || deps.whyLate() !== undefined)) {
        const id = await findCreated(org, before);
        if (id !== undefined) {
          await put(at, { ...before, id, state: 'done' });
          return { id };
        }
        mayNotBeUnderWay(at, before);
      }
      // By that clock alone it is found again.
      if (mark === null) await org.hearClock();
      await mustBeInTime(at, object);
      const effect = await begin(at, { kind: 'create', object, id: null, mark, before: {}, after });
      const send = () =>
        org.create(object, after, {
          ...(options?.allowDuplicates === undefined ? {} : { allowDuplicates: options.allowDuplicates }),
          ...(mark === null ? {} : { mark: { field: EXTERNAL_ID, value: mark } }),
        });
      const { id } = await send().catch(async (error: unknown) => {
        if (mark !== null && deps.isUnknownOutcome(error)) return send();
        let found: string | undefined;
        await settle(at, effect, error, async () => {
          const looked = await findCreated(org, effect).then(
            (one) => ({ one }),
            () => undefined,
          );
          found = looked?.one;
          return looked && found !== undefined;
        });
        return { id: found ?? '' };
      });
      await put(at, { ...effect, id, state: 'done' });
      const held = await readBack(values, object, id, after);
      if (held !== undefined) await keep(at, values.held(held, after));
      return { id };
    },

    async update(object, record, changes) {
      const at = ordinal++;
      const recorded = effects[at];
      // Only FieldValues are ever recorded.
      if (recorded?.state === 'done') return recorded.after as Fields;
      const values = await valuesOf(org, object);
      const wanted = Object.entries(values.stored(clean(changes))).filter(
        ([field, value]) => !values.isSame(field, record[field], value),
      );
      if (wanted.length === 0) {
        if (recorded !== undefined) await put(at, { ...recorded, state: 'done' });
        return {};
      }
      if (deps.target !== undefined && record.Id !== deps.target) throw changedMeanwhile(object, ['Id']);
      if (recorded === undefined && deps.shown !== null)
        mustLookAsShown(
          record,
          shownFor(record, deps.shown),
          values,
          wanted.map(([field]) => field),
        );
      const after = Object.fromEntries(wanted);
      const before = recorded?.before ?? Object.fromEntries(wanted.map(([field]) => [field, record[field] ?? null]));
      // A recorded write whose record holds neither the old nor the new values was overtaken by somebody else.
      if (
        recorded !== undefined &&
        !wanted.every(([field]) => values.isSame(field, record[field], recorded.before[field]))
      )
        throw changedMeanwhile(
          object,
          wanted.map(([field]) => field),
        );
      if (recorded !== undefined) mayNotBeUnderWay(at, recorded);
      const unchangedSince = await settledTime(object, record, values);
      await mustBeInTime(at, object);
      const effect = await begin(at, { kind: 'update', object, id: record.Id, mark: null, before, after });
      try {
        await org.patch(object, record.Id, after, unchangedSince);
      } catch (error) {
        await settle(at, effect, error, async () => {
          const current = await org.get(object, record.Id, Object.keys(after)).catch(() => undefined);
          return current && values.holds(current, after);
        });
      }
      await put(at, { ...effect, state: 'done' });
      const held = await readBack(values, object, record.Id, after, record);
      if (held === undefined) return after;
      const missed = Object.keys(after).filter(
        (field) => !values.isSame(field, held[field], after[field]) && values.isSame(field, held[field], before[field]),
      );
      if (missed.length === 0) return keep(at, values.held(held, after));
      const took = Object.fromEntries(wanted.filter(([field]) => !missed.includes(field)));
      const isNothing = Object.keys(took).length === 0;
      await put(at, { ...effect, after: values.held(held, took), state: isNothing ? 'failed' : 'done' });
      throw new NotTaken(object, held, missed, isNothing);
    },

    async graph(steps, options) {
      const first = ordinal;
      ordinal += steps.length;
      const recorded = graphOf(first);
      return writeGraph(
        {
          deps,
          recorded,
          first,
          put: (written) => putAll(first, written),
          begin: (writes) => beginAll(first, writes),
          mustHaveSettled() {
            for (const [index, effect] of recorded.entries()) mayNotBeUnderWay(first + index, effect);
          },
          async mustBeInTime() {
            const why = deps.whyLate();
            if (why === undefined) return;
            if (recorded.length > 0)
              await putAll(
                first,
                recorded.map((one) => ({ ...one, state: 'failed' })),
              );
            throw why === 'clocks' ? clocksDiffer() : tooLate(steps[0]?.object ?? 'record');
          },
          settledTime,
        },
        steps,
        options,
      );
    },

    async invoke(call) {
      const at = ordinal++;
      const recorded = effects[at];
      const name = codeOf(call);
      // Put there below, with the answer.
      if (recorded?.state === 'done') return recorded.after.answer as Invoked;
      if (recorded?.state === 'sent') throw mayHaveRun(name);
      await mustBeInTime(at, name);
      const effect = await begin(at, {
        kind: 'invoke',
        object: name,
        id: null,
        mark: null,
        before: {},
        after: { ...call },
      });
      const answer = await org.invoke(call, deps.proposalId).catch(async (error: unknown) => {
        const isSure = !deps.isUnknownOutcome(error) && !deps.mayBeDone(error);
        if (!isSure) throw mayHaveRun(name, error);
        await put(at, { ...effect, state: 'failed' });
        throw error;
      });
      await put(at, { ...effect, after: { ...effect.after, answer }, state: 'done' });
      return answer;
    },

    async remove(object, record) {
      const at = ordinal++;
      const recorded = effects[at];
      if (recorded?.state === 'done') return;
      if (recorded === undefined && deps.shown !== null) {
        if (deps.target !== undefined && record.Id !== deps.target) throw changedMeanwhile(object, ['Id']);
        mustLookAsShown(record, shownFor(record, deps.shown), await valuesOf(org, object), []);
      }
      const current = await org.get(object, record.Id, ['LastModifiedDate']).catch((error: unknown) => {
        // Recorded, and the record is gone: we deleted it.
        if (recorded !== undefined && isNotFound(error)) return undefined;
        throw error;
      });
      if (current !== undefined && current.LastModifiedDate !== record.LastModifiedDate)
        throw changedMeanwhile(object, ['LastModifiedDate']);
      if (current !== undefined) {
        const since = await settledTime(object, record, await valuesOf(org, object));
        if (since !== record.LastModifiedDate) throw changedMeanwhile(object, ['LastModifiedDate']);
        if (recorded !== undefined) mayNotBeUnderWay(at, recorded);
        await mustBeInTime(at, object);
      }
      const effect = await begin(at, { kind: 'remove', object, id: record.Id, mark: null, before: {}, after: {} });
      if (current !== undefined)
        await org.remove(object, record.Id).catch(async (error: unknown) => {
          // It was there a moment ago: gone is what was wanted.
          if (isNotFound(error)) return;
          await settle(at, effect, error, () => isGone(org, object, record.Id));
        });
      await put(at, { ...effect, state: 'done' });
    },
  };
}

/** Where several records were shown, each by its Id. */
function shownFor({ Id }: SObject, shown: readonly Change[]): readonly Change[] {
  const own = shownOf(shown, Id);
  return own.length > 0 ? own : shown;
}

function codeOf(call: Invocation): string {
  if (call.kind === 'flow') return `the flow ${call.flow}`;
  return call.kind === 'publish'
    ? call.object
    : `Apex REST ${call.method} ${call.path.split('/').slice(0, 4).join('/')}`;
}

function clean(fields: Fields): Record<string, FieldValue> {
  return Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, FieldValue] => entry[1] !== undefined),
  );
}
