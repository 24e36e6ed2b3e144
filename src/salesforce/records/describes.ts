import type { FieldDescribe, ObjectDescribe } from '../../domain/action.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { isRecord, recordsIn } from '../../domain/is-record.ts';
import { prefixesOf } from '../../domain/salesforce-id.ts';
import type { ConnectionRow, ValueStore } from '../../ports/store.ts';
import type { RequestPipeline } from '../request.ts';
import { objectName } from './find.ts';

/** Describes, cached per connection and its user in the store and in this process: fresh for an hour, then asked again with `If-Modified-Since`. */
export interface Describes {
  /** `isFresh` asks whatever is remembered: a person just changed the org, and its permissions have no modified date. */
  get(
    pipeline: RequestPipeline,
    base: string,
    object: string,
    options?: { readonly isFresh?: boolean },
  ): Promise<ObjectDescribe>;
  /** What the Ids of this object's records begin with, as far as it is known without a question. */
  prefix(row: Of, object: string): string | undefined;
  /** Salesforce said that a field is not there: what we remember of its object may be old; of all, where it named none. */
  expire(row: Of, object?: string): Promise<void>;
  forget(connectionId: string): Promise<void>;
}

const FRESH_MS = 60 * 60_000;
/** A query may name what the org lacks over and over; an admin who adds it should not have to wait. */
const ABSENT_MS = 60_000;
const KEPT_MS = 30 * 24 * FRESH_MS;
const KIND = 'describe';

/** What was remembered in an older form knows less than we ask of it: it is fetched anew. */
const FORM = 3;

interface Cached {
  readonly form: typeof FORM;
  readonly at: number;
  readonly lastModified: string | null;
  readonly describe: ObjectDescribe;
}

type Of = Pick<ConnectionRow, 'id' | 'userId'>;

/** Each user is described what that user may see; the connection stays the same for all of an org. */
function keyOf({ id, userId }: Of, object: string): string {
  return `${id}/${userId}/${object.toLowerCase()}`;
}

export function createDescribes(deps: { readonly values: ValueStore; readonly now: () => number }): Describes {
  const { values, now } = deps;
  const near = new Map<string, Cached>();
  const flights = new Map<string, Promise<Cached>>();
  const absent = new Map<string, { readonly until: number; readonly error: GatehouseError }>();

  async function remembered(key: string): Promise<Cached | undefined> {
    const known = near.get(key);
    if (known && now() - known.at < FRESH_MS) return known;
    // Our own writing, so its shape is known.
    const stored = await values.get(KIND, key, now());
    const cached = stored === undefined ? known : (JSON.parse(stored) as Cached);
    return cached?.form === FORM ? cached : undefined;
  }

  async function fetched(
    pipeline: RequestPipeline,
    path: string,
    key: string,
    old: Cached | undefined,
  ): Promise<Cached> {
    const answer = await pipeline
      .send({ path, headers: old?.lastModified ? { 'if-modified-since': old.lastModified } : {} })
      .catch((cause: unknown) => {
        const error = asNoObject(cause);
        if (error) absent.set(key, { until: now() + ABSENT_MS, error });
        throw error ?? cause;
      });
    if (answer.status === 304 && old) return remember(key, { ...old, at: now() });
    const lastModified = answer.header('last-modified') ?? answer.header('date');
    return remember(key, { form: FORM, at: now(), lastModified, describe: toDescribe(answer.json) });
  }

  async function remember(key: string, cached: Cached): Promise<Cached> {
    near.set(key, cached);
    await values.set(KIND, key, JSON.stringify(cached), now() + KEPT_MS);
    return cached;
  }

  return {
    async get(pipeline, base, object, { isFresh = false } = {}) {
      const key = keyOf(pipeline.row, objectName(object));
      if (isFresh) absent.delete(key);
      const old = isFresh ? undefined : await remembered(key);
      if (old && now() - old.at < FRESH_MS) {
        near.set(key, old);
        return old.describe;
      }
      const missing = absent.get(key);
      if (missing && now() < missing.until) throw missing.error;
      absent.delete(key);
      for (;;) {
        const others = flights.get(key);
        const flight =
          others ??
          fetched(pipeline, `${base}/sobjects/${object}/describe`, key, old).finally(() => flights.delete(key));
        flights.set(key, flight);
        try {
          return (await flight).describe;
        } catch (error) {
          // Whose request it was has left: that is nobody else's end.
          if (others === undefined || !(error instanceof GatehouseError && error.code === 'cancelled')) throw error;
        }
      }
    },
    prefix(row, object) {
      const known = near.get(keyOf(row, object));
      return known?.describe.keyPrefix ?? prefixesOf(object)?.[0];
    },
    async expire(row, object) {
      for (const [key, cached] of near) {
        if (object === undefined ? !key.startsWith(keyOf(row, '')) : key !== keyOf(row, object)) continue;
        near.set(key, { ...cached, at: 0 });
        await values.set(KIND, key, JSON.stringify({ ...cached, at: 0 }), now() + KEPT_MS);
      }
    },
    async forget(connectionId) {
      for (const known of [near, absent])
        for (const key of known.keys()) if (key.startsWith(`${connectionId}/`)) known.delete(key);
      await values.removeAll(KIND, `${connectionId}/`);
    },
  };
}

function asNoObject(error: unknown): GatehouseError | undefined {
  if (!(error instanceof GatehouseError) || error.code !== 'not_found') return undefined;
  return new GatehouseError(
    'not_found',
    'This object does not exist in the org, or the connected user may not see it.',
    {
      next: 'Check the API name, and the object permissions of the connected user.',
      ...(error.salesforce ? { salesforce: error.salesforce } : {}),
    },
  );
}

/** The part that we use; whatever an older or newer org leaves out gets the careful default. */
export function toDescribe(json: unknown): ObjectDescribe {
  const source = isRecord(json) ? json : {};
  return {
    name: text(source.name) ?? '',
    label: text(source.label) ?? '',
    keyPrefix: text(source.keyPrefix) ?? null,
    fields: recordsIn(source.fields).map(toField),
    childRelationships: recordsIn(source.childRelationships).map((child) => ({
      relationshipName: text(child.relationshipName) ?? null,
      childSObject: text(child.childSObject) ?? '',
      field: text(child.field) ?? '',
    })),
  };
}

function toField(field: Record<string, unknown>): FieldDescribe {
  const name = text(field.name) ?? '';
  return {
    name,
    label: text(field.label) ?? name,
    type: text(field.type) ?? 'string',
    length: typeof field.length === 'number' ? field.length : 0,
    nillable: field.nillable !== false,
    createable: field.createable === true,
    updateable: field.updateable === true,
    defaultedOnCreate: field.defaultedOnCreate === true,
    filterable: field.filterable === true,
    unique: field.unique === true,
    externalId: field.externalId === true,
    idLookup: field.idLookup === true,
    custom: field.custom === true,
    restrictedPicklist: field.restrictedPicklist === true,
    ...(field.unique === true && field.caseSensitive === false ? { foldsCase: true as const } : {}),
    ...(typeof field.scale === 'number' ? { scale: field.scale } : {}),
    ...(typeof field.precision === 'number' ? { precision: field.precision } : {}),
    ...(typeof field.digits === 'number' ? { digits: field.digits } : {}),
    // `encrypted` alone is said of Shield too, whose fields are read in clear.
    ...(field.type === 'encryptedstring' || typeof field.mask === 'string' ? { isMasked: true } : {}),
    ...(field.htmlFormatted === true || field.extraTypeInfo === 'richtextarea' ? { isRichText: true } : {}),
    ...(field.calculated === true ? { isCalculated: true } : {}),
    ...(field.autoNumber === true ? { isAutoNumber: true } : {}),
    ...(field.permissionable === true ? { isPermissionable: true } : {}),
    picklistValues: recordsIn(field.picklistValues).map((value) => ({
      value: text(value.value) ?? '',
      label: text(value.label) ?? text(value.value) ?? '',
      active: value.active !== false,
    })),
    referenceTo: Array.isArray(field.referenceTo)
      ? field.referenceTo.filter((target) => typeof target === 'string')
      : [],
    relationshipName: text(field.relationshipName) ?? null,
    compoundFieldName: text(field.compoundFieldName) ?? null,
    ...(text(field.calculatedFormula) === undefined ? {} : { formula: String(field.calculatedFormula) }),
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
