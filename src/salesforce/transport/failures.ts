import type { Candidate } from '../../domain/errors.ts';
import { isRecord, recordsIn } from '../../domain/is-record.ts';
import { oneLine } from '../../domain/safe-text.ts';
import { receivedId } from '../../domain/salesforce-id.ts';
import { causeOf, pageOf, saysMore } from './failure-causes.ts';
import { byStatus, knownRow, type Row, UNKNOWN } from './failure-table.ts';
import type { Answer } from './http.ts';
import { UpstreamError } from './upstream-error.ts';

/** Salesforce's refusals, in whatever form they come, as ours. The table itself is in failure-table.ts. */

/** One error as Salesforce names it; single records say `errorCode`, collections `statusCode`. */
export interface Said {
  readonly code: string;
  readonly message: string;
  readonly fields: readonly string[];
  readonly duplicates?: unknown;
}

/** The failure in an answer, or undefined when it succeeded. `isRead` tells whether a 5xx leaves doubt. */
export function toFailure(answer: Answer, isRead: boolean): UpstreamError | undefined {
  if (answer.status < 300 || answer.status === 304) return isRead || isOwnWord(answer) ? undefined : unreadable(true);
  if (answer.status === 300) return ambiguous(answer);
  return failureOf(saidIn(answer), answer.status, isRead, answer.header('content-type'));
}

/** The same for an error that came inside a 200: one item of a collection, one part of a composite. */
export function failureOf(
  said: readonly Said[],
  status: number,
  isRead: boolean,
  contentType: string | null = null,
): UpstreamError {
  const first = said.find(({ code }) => !CONSEQUENCES.has(code)) ?? said[0];
  const row = rowFor(first, said, status, contentType);
  const isEdge = status >= 500 || (contentType?.includes('text/html') ?? false);
  const isDoubtful = status >= 500 || row.isDoubtful || (first === undefined && !BEFORE_DOING.has(status));
  const outcome = !isRead && isDoubtful ? 'unknown' : 'refused';
  const candidates = first?.duplicates === undefined ? candidatesInText(first) : candidatesIn(first.duplicates);
  const fields = [...new Set(said.flatMap((one) => one.fields))];
  return new UpstreamError(row.code, row.message, {
    next:
      outcome === 'unknown'
        ? 'The change may or may not have been made: look at the record before you repeat it.'
        : nextFor(row, first),
    operator: row.operator,
    outcome,
    infrastructure: isEdge,
    retryable: outcome !== 'unknown' && (row.retryable ?? false),
    repeat: row.repeat ?? false,
    inSync: row.inSync,
    ...(isRecord(first?.duplicates) && typeof first.duplicates.allowSave === 'boolean'
      ? { allowSave: first.duplicates.allowSave }
      : {}),
    ...(row.code === 'invalid_input' && fields.length > 0
      ? { fields: fields.map((name) => ({ name, problem: problemOf(name, said) ?? row.message })) }
      : {}),
    ...(candidates.length > 0 ? { candidates } : {}),
    ...(first
      ? {
          salesforce: {
            code: oneLine(first.code),
            fields: fields.map((field) => oneLine(field)),
            quote: oneLine(said.map((one) => one.message).join(' | ')),
          },
        }
      : {}),
  });
}

/** Whoever answers so, Salesforce or a proxy, has not passed the request on; any other refusal in foreign words may have come after it. */
const BEFORE_DOING = new Set([401, 405, 411, 412, 413, 414, 415, 417, 421, 429, 431]);

/** That a write succeeded is Salesforce's to say: in JSON, or by nothing at all. A page with 200 comes from something in between. */
function isOwnWord({ status, text, json }: Answer): boolean {
  return status !== 304 && (text === '' || json !== undefined);
}

/** An answer in nobody's form that is known; of a write it does not say what became of it. */
export function unreadable(mayHaveWritten: boolean): UpstreamError {
  return new UpstreamError('salesforce_error', 'Salesforce answered in a form that Gatehouse does not know.', {
    next: mayHaveWritten
      ? 'The change was probably made: look at the record before you repeat it.'
      : 'Tell the operator; the log has more.',
    operator:
      'A proxy, a firewall or an old address of the org may have answered: check the way from here to the address of the org.',
    outcome: mayHaveWritten ? 'unknown' : 'refused',
  });
}

/** Said of one row because of another: never the cause where a cause is said too. */
/** Of a part that failed because another one did. */
export const CONSEQUENCES: ReadonlySet<string> = new Set(['ALL_OR_NONE_OPERATION_ROLLED_BACK', 'PROCESSING_HALTED']);

/** Text and code decide; the status helps only where the code is unknown or missing. */
function rowFor(first: Said | undefined, said: readonly Said[], status: number, contentType: string | null): Row {
  if (!first) return pageOf(status, contentType) ?? byStatus(status);
  const hidden = said.map(hiddenCause).find((code) => code !== undefined);
  const row = hidden === undefined ? (causeOf(first) ?? knownRow(first.code)) : knownRow(hidden);
  return row ?? (saysMore(status) ? byStatus(status) : UNKNOWN);
}

/** What was said of this field, each error in its own words. */
function problemOf(field: string, said: readonly Said[]): string | undefined {
  const words = said
    .filter(({ fields }) => fields.includes(field))
    .map((one) => (causeOf(one) ?? knownRow(one.code) ?? UNKNOWN).message);
  return words.length === 0 ? undefined : [...new Set(words)].join(' ');
}

/** A flow's or trigger's failure wraps its cause in its text. */
function hiddenCause({ code, message }: Said): string | undefined {
  if (code !== 'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY' && code !== 'CANNOT_EXECUTE_FLOW_TRIGGER') return undefined;
  if (message.includes('UNABLE_TO_LOCK_ROW')) return 'UNABLE_TO_LOCK_ROW';
  return /CPU (time )?limit/i.test(message) ? 'CPU_LIMIT' : undefined;
}

function nextFor(row: Row, first: Said | undefined): string {
  if (first?.code !== 'DUPLICATES_DETECTED' || first.duplicates === undefined) return row.next;
  return isRecord(first.duplicates) && first.duplicates.allowSave === false
    ? `${row.next} The rule blocks a second record.`
    : `${row.next} If not, a person may let it be saved all the same.`;
}

/** Refusals of one answer that are looked at; the first ones tell the cause. */
const MOST_SAID = 50;

/** Every error in a body: array or object, JSON or XML, any key order. */
export function saidIn(answer: Pick<Answer, 'json' | 'text'>): readonly Said[] {
  const { json, text } = answer;
  const list: readonly unknown[] = Array.isArray(json) ? json : json === undefined ? [] : [json];
  const said = list.slice(0, MOST_SAID).filter(isRecord).flatMap(toSaid);
  if (said.length > 0) return said;
  const code = /<(?:\w+:)?(?:errorCode|exceptionCode)>([^<]{1,80})</.exec(text)?.[1];
  const message = /<(?:\w+:)?(?:message|exceptionMessage)>([^<]{0,400})</.exec(text)?.[1];
  return code ? [{ code, message: message ?? '', fields: [] }] : [];
}

function toSaid(item: Record<string, unknown>): readonly Said[] {
  const code = item.errorCode ?? item.statusCode ?? item.error;
  if (typeof code !== 'string') return [];
  const message = item.message ?? item.error_description ?? '';
  const fields = Array.isArray(item.fields) ? item.fields.filter((field) => typeof field === 'string') : [];
  // Real orgs misspell the key; newer ones may not.
  const duplicates = item.duplicateResut ?? item.duplicateResult;
  return [{ code, message: String(message), fields, duplicates }];
}

function candidatesIn(duplicates: unknown): readonly Candidate[] {
  if (!isRecord(duplicates)) return [];
  return recordsIn(duplicates.matchResults).flatMap((result) =>
    recordsIn(result.matchRecords).flatMap(({ record }) => {
      if (!isRecord(record) || typeof record.Id !== 'string') return [];
      const id = receivedId(record.Id);
      if (id === undefined) return [];
      const type =
        isRecord(record.attributes) && typeof record.attributes.type === 'string'
          ? record.attributes.type
          : result.entityType;
      return [{ id, name: oneLine(String(record.Name ?? '')) || id, hint: oneLine(String(type ?? '')) }];
    }),
  );
}

/** DUPLICATE_VALUE names the other record only in its text. */
function candidatesInText(first: Said | undefined): readonly Candidate[] {
  if (first?.code !== 'DUPLICATE_VALUE') return [];
  const id = receivedId(/record with id: ([A-Za-z0-9]{15,18})\b/.exec(first.message)?.[1] ?? '');
  return id === undefined ? [] : [{ id, name: id }];
}

/** 300: several records have the key of an upsert; the body lists their addresses and nothing was written. */
function ambiguous(answer: Answer): UpstreamError {
  const urls: readonly unknown[] = Array.isArray(answer.json) ? answer.json : [];
  const candidates = urls.flatMap((url) => {
    const [object = '', last = ''] = String(url).split('/').slice(-2);
    const id = receivedId(last);
    return id === undefined ? [] : [{ id, name: id, hint: oneLine(object) }];
  });
  return new UpstreamError('ambiguous', 'Several records match; nothing was written.', {
    next: 'Ask the user which of the candidates is meant, then use its Id.',
    outcome: 'refused',
    candidates,
  });
}
