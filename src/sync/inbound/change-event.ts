import { isRecord } from '../../domain/is-record.ts';
import { receivedId } from '../../domain/salesforce-id.ts';

/**
 * A change event as far as it is believed: which records to look at, and which fields it says have changed. Field order, unknown
 * keys and what came with the values tell nothing. Never throws: what cannot be read is a gap of its channel.
 */
export interface ChangeEvent {
  /** `gap`: something changed; `overflow`: so much that nothing is told; `all`: every record of the object. */
  readonly kind: 'change' | 'gap' | 'overflow' | 'all';
  readonly object: string;
  readonly recordIds: readonly string[];
  /** As the API names them; undefined where the event does not say, or names one that has no such name. */
  readonly changed: readonly string[] | undefined;
  /** Their values, by the same names. */
  readonly values: Readonly<Record<string, unknown>>;
  /** When it was committed, by Salesforce's clock; undefined where the event does not say. */
  readonly committedAt: number | undefined;
  /** What the client that made the change calls itself. */
  readonly client: string | undefined;
}

const MOST_IDS = 10_000;
const UNREADABLE: ChangeEvent = {
  ...{ kind: 'overflow', object: '', recordIds: [], changed: undefined },
  ...{ values: {}, committedAt: undefined, client: undefined },
};

export function readChangeEvent(data: unknown): ChangeEvent {
  const payload = isRecord(data) && isRecord(data.payload) ? data.payload : {};
  const header = payload.ChangeEventHeader;
  if (!isRecord(header) || typeof header.entityName !== 'string' || !Array.isArray(header.recordIds)) return UNREADABLE;
  const { entityName: object, recordIds, changeType } = header;
  const texts = recordIds.slice(0, MOST_IDS).filter((id) => typeof id === 'string');
  const committedAt = timeIn(header.commitTimestamp);
  const common = { ...UNREADABLE, object, committedAt, client: clientIn(header.changeOrigin) };
  if (texts.some((id) => /^\w{3}\*$/.test(id))) return { ...common, kind: 'all' };
  const ids = [...new Set(texts.flatMap((id) => receivedId(id) ?? []))];
  // Beside the type: an id that is none cannot be looked at, and a list that was cut is not the whole of it.
  if (changeType === 'GAP_OVERFLOW' || ids.length === 0 || texts.length < recordIds.length) return common;
  const isPlain = typeof changeType === 'string' && ['CREATE', 'UPDATE', 'DELETE', 'UNDELETE'].includes(changeType);
  if (!isPlain) return { ...common, kind: 'gap', recordIds: ids };
  const values = changeType === 'DELETE' ? {} : plainValues(payload);
  const changed = changeType === 'UPDATE' ? namesIn(header.changedFields) : undefined;
  return { ...common, kind: 'change', recordIds: ids, values, changed };
}

function timeIn(stamp: unknown): number | undefined {
  return typeof stamp === 'number' && Number.isSafeInteger(stamp) && stamp > 0 ? stamp : undefined;
}

function clientIn(origin: unknown): string | undefined {
  return typeof origin === 'string' ? /;client=([^;]+)/.exec(origin)?.[1] : undefined;
}

function namesIn(fields: unknown): readonly string[] | undefined {
  if (!Array.isArray(fields) || !fields.every((field) => typeof field === 'string')) return undefined;
  return fields.map(plainName);
}

/** `Name.LastName` is LastName, `MailingAddress.City` is MailingCity. */
function plainName(dotted: string): string {
  const [whole = '', part, ...more] = dotted.split('.');
  if (part === undefined || more.length > 0) return dotted;
  return whole.endsWith('Address') ? whole.slice(0, -'Address'.length) + part : part;
}

function plainValues(payload: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(payload).flatMap(([name, value]) => {
      if (name === 'ChangeEventHeader') return [];
      if (!isRecord(value)) return [[name, value]];
      return Object.entries(value).map(([part, inner]) => [plainName(`${name}.${part}`), inner]);
    }),
  );
}
