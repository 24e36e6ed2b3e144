import {
  type ActionContext,
  type Change,
  type FieldValue,
  type GraphStep,
  isSame,
  type Preview,
  type SObject,
} from '../domain/action.ts';
import type { DeclaredOf, Source, Step, StepSource } from '../domain/declaration.ts';
import { GatehouseError, naming } from '../domain/errors.ts';
import { requireNoReference } from '../domain/graph-reference.ts';
import { type Values, valuesOf } from './bind.ts';
import { findAny } from './read.ts';
import { nameOf, shownAfter } from './write.ts';

/** Several records of one definition: shown together, written together or not at all. */

type Graph = DeclaredOf<'graph'>;

export async function previewGraph(graph: Graph, input: Values, context: ActionContext): Promise<Preview> {
  const { planned, warnings } = await plan(graph, input, context);
  const parts = planned.map(({ step, record }) => `${record === undefined ? 'create' : 'update'} one ${step.object}`);
  return {
    summary: `${graph.title}: ${parts.join(', ')}; all of it or nothing`,
    changes: planned.flatMap((one) => shown(one)),
    warnings,
  };
}

export async function writeGraph(graph: Graph, input: Values, context: ActionContext) {
  const { planned, warnings } = await plan(graph, input, context);
  const { salesforce, choice } = context;
  const steps = planned.map(
    ({ step, record, fields, links }): GraphStep => ({
      name: step.id,
      object: step.object,
      record,
      fields: { ...fields, ...links },
    }),
  );
  const written = await salesforce.graph(steps, { allowDuplicates: choice === 'create' }).catch((error: unknown) => {
    // For which of several records a look-alike could stand is no choice that a person is offered.
    throw error instanceof GatehouseError && error.candidates !== undefined ? naming(error, []) : error;
  });
  return {
    records: planned.map(({ step, record }, at) => {
      const id = written[at]?.id ?? '';
      return { step: step.id, object: step.object, id, url: salesforce.recordUrl(id), created: record === undefined };
    }),
    ...(warnings.length === 0 ? {} : { warnings: [...warnings] }),
  };
}

interface Planned {
  readonly step: Step;
  /** What its key found. */
  readonly record: SObject | undefined;
  readonly fields: Readonly<Record<string, FieldValue>>;
  readonly links: Readonly<Record<string, { readonly from: string }>>;
  /** Fields that change, or are set on a new record. */
  readonly changed: readonly string[];
}

async function plan({ steps, input: inputs }: Graph, input: Values, context: ActionContext) {
  const planned: Planned[] = [];
  const warnings: string[] = [];
  for (const step of steps) {
    const { object, key } = step;
    const [set, links] = partsOf(step.set);
    const named = await nameOf(object, context);
    const read = [...new Set([...Object.keys(step.set), ...named, 'LastModifiedDate'])];
    const record = key && (await findAny({ object, key, input: inputs }, input, context, read));
    const sources = record === undefined && key !== undefined ? { [key.field]: key.is, ...set } : set;
    const names = Object.entries(sources).flatMap(([field, source]) =>
      'input' in source ? [[field, source.input] as const] : [],
    );
    const checked = await context.salesforce.check(
      object,
      record === undefined ? 'create' : 'update',
      valuesOf(sources, input, context),
      Object.fromEntries(names),
    );
    warnings.push(...checked.warnings);
    for (const [field, value] of Object.entries(checked.fields)) requireNoReference(field, value);
    const describe = await context.salesforce.describe(object);
    const differs = (field: string, value: FieldValue) =>
      record === undefined
        ? value !== null
        : !isSame(
            describe.fields.find(({ name }) => name === field),
            record[field],
            value,
          );
    const changed = Object.entries(checked.fields).flatMap(([field, value]) => (differs(field, value) ? [field] : []));
    planned.push({
      step: { ...step, set: { ...sources, ...links } },
      record,
      fields: checked.fields,
      links: linksOf(links),
      changed,
    });
  }
  return { planned, warnings };
}

function partsOf(set: Step['set']): [Record<string, Source>, Record<string, { from: string }>] {
  const own: Record<string, Source> = {};
  const links: Record<string, { from: string }> = {};
  for (const [field, source] of Object.entries(set)) {
    if ('from' in source) links[field] = source;
    else own[field] = source;
  }
  return [own, links];
}

/** `account.id` names the step `account`. */
const linksOf = (links: Readonly<Record<string, { readonly from: string }>>) =>
  Object.fromEntries(Object.entries(links).map(([field, { from }]) => [field, { from: from.slice(0, -'.id'.length) }]));

/** A row for the record itself, so that no yes to a new one is a yes to a change of one that came meanwhile; then each of its fields. */
function shown({ step, record, fields, links, changed }: Planned): Change[] {
  const { id, object } = step;
  const name = typeof record?.Name === 'string' ? ` ${record.Name}` : '';
  const row = (field: string, after: FieldValue, before = (record?.[field] ?? null) as FieldValue): Change => ({
    field: `${object}.${field}`,
    label: `${object} (${id}): ${field}`,
    before, // plain fields hold plain values
    after,
    record: id,
  });
  const source = (field: string): Source | undefined => {
    const found: StepSource | undefined = step.set[field];
    return found === undefined || 'from' in found ? undefined : found;
  };
  return [
    { ...row('Id', record?.Id ?? 'a new record', record?.Id ?? null), label: `${object} (${id})${name}` },
    ...changed.map((field) => row(field, shownAfter(source(field), fields[field] ?? null))),
    ...Object.entries(links).map(([field, { from }]) => row(field, `the Id of ${from}`)),
  ];
}
