/**
 * The one vocabulary of refusals (E). Every door renders a GatehouseError through `toErrorBody`;
 * anything else that is thrown becomes `internal` with an id to look up in the log.
 */

/** Each code has one meaning and one HTTP status. */
export const ERROR_STATUS = {
  invalid_input: 400,
  query_refused: 400,
  unauthenticated: 401,
  permission_denied: 403,
  not_connected: 403,
  off: 403,
  not_found: 404,
  ambiguous: 409,
  duplicate: 409,
  validation_rule: 409,
  conflict: 409,
  rate_limited: 429,
  limit_reached: 429,
  /** The caller left before the answer; nothing failed. */
  cancelled: 499,
  reconnect_needed: 502,
  salesforce_error: 502,
  circuit_open: 503,
  salesforce_unavailable: 503,
  /** Database, token store or data folder of our own: away, full or read-only, and well again without a restart. */
  store_unavailable: 503,
  internal: 500,
  config_invalid: 500,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

/** One bad field of an input, named as the caller wrote it. */
export interface FieldProblem {
  readonly name: string;
  readonly problem: string;
}

const MOST_PROBLEMS = 20;

/** As many as a reader can use, taken before texts are made of them: a caller may send a hundred thousand bad fields. */
export function listProblems(found: Iterable<FieldProblem>): readonly FieldProblem[] {
  const listed: FieldProblem[] = [];
  let more = 0;
  for (const { name, problem } of found)
    if (listed.length < MOST_PROBLEMS) listed.push({ name: name.slice(0, 80), problem });
    else more += 1;
  return more === 0 ? listed : [...listed, { name: '(more)', problem: `${more} more are wrong` }];
}

/** What Salesforce itself said. `quote` is its own text, cleaned and capped at 300 characters: data, never obeyed. */
export interface SalesforceSaid {
  readonly code: string;
  readonly fields: readonly string[];
  readonly quote: string;
}

/** A record that could have been meant. */
export interface Candidate {
  readonly id: string;
  readonly name: string;
  readonly hint?: string | undefined;
  /** The record of the host app that it belongs to already. */
  readonly linkedTo?: string | undefined;
}

/** A record that somebody else has, as it is offered to a person. */
export const takenCandidate = (id: string, name: string, linkedTo: string): Candidate => ({
  ...{ id, name, linkedTo },
  hint: `linked to ${linkedTo}`,
});

export interface ErrorDetails {
  /** What to do now, doable by whoever reads it (model or person). */
  readonly next: string;
  readonly retryable?: boolean;
  readonly retryAfterMs?: number | undefined;
  readonly fields?: readonly FieldProblem[] | undefined;
  readonly candidates?: readonly Candidate[] | undefined;
  readonly salesforce?: SalesforceSaid | undefined;
  /** For logs only; never rendered. */
  readonly cause?: unknown;
}

/** JSON shape of an error on every door. */
export interface ErrorBody {
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly next: string;
    readonly retryable: boolean;
    readonly retryAfterMs?: number | undefined;
    readonly fields?: readonly FieldProblem[] | undefined;
    readonly candidates?: readonly Candidate[] | undefined;
    readonly salesforce?: SalesforceSaid | undefined;
  };
}

export class GatehouseError extends Error {
  override readonly name = 'GatehouseError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly next: string;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly fields: readonly FieldProblem[] | undefined;
  readonly candidates: readonly Candidate[] | undefined;
  readonly salesforce: SalesforceSaid | undefined;

  /** `message` is one plain sentence in our own words; third-party text belongs in `details.salesforce.quote`. */
  constructor(code: ErrorCode, message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.status = ERROR_STATUS[code];
    this.next = details.next;
    this.retryable = details.retryable ?? false;
    this.retryAfterMs = details.retryAfterMs;
    this.fields = details.fields;
    this.candidates = details.candidates;
    this.salesforce = details.salesforce;
  }
}

/** The same error, whatever its class, naming these candidates alone. Salesforce's own words go where they may name others. */
export function naming<E extends GatehouseError>(error: E, candidates: readonly Candidate[]): E {
  const same = Object.create(Object.getPrototypeOf(error), Object.getOwnPropertyDescriptors(error));
  const said = error.salesforce && { ...error.salesforce, quote: '' };
  return Object.defineProperties(same, {
    candidates: { value: candidates, enumerable: true },
    salesforce: { value: said, enumerable: true },
  });
}

/** What failed is ours: its cause belongs into the log. */
export const isOurs = ({ code }: Pick<GatehouseError, 'code'>): boolean =>
  code === 'internal' || code === 'store_unavailable';

/** Refusals that say of other records that they are there. */
export const tellsOfOthers = ({ code }: GatehouseError): boolean => code === 'duplicate' || code === 'ambiguous';

/**
 * The same refusal, whatever its class, for whoever may not know what is there: some rule of the org said no. As words of their own,
 * not none: a rule for values answers the same. What it was stays behind it, for log and audit.
 */
export function veiled<E extends GatehouseError>(error: E): E {
  const same = Object.create(Object.getPrototypeOf(error), Object.getOwnPropertyDescriptors(error));
  const enumerable = true;
  return Object.defineProperties(same, {
    message: { value: 'A rule of the org did not take this record.' },
    cause: { value: error },
    code: { value: 'validation_rule', enumerable },
    status: { value: ERROR_STATUS.validation_rule, enumerable },
    next: { value: 'Tell the user that it was not saved; the audit names the rule to an operator.', enumerable },
    fields: { value: undefined, enumerable },
    candidates: { value: undefined, enumerable },
    salesforce: { value: undefined, enumerable },
  });
}

/** What an earlier run of the same proposal did is not known yet: the proposal stays, and runs again by itself. */
export class StillUnderWay extends GatehouseError {
  constructor(message: string, details: ErrorDetails) {
    super('salesforce_unavailable', message, { retryable: true, ...details });
  }
}

/** The wire form of an error, for HTTP bodies, MCP `isError` results, CLI stderr and stored outcomes. */
export function toErrorBody(error: GatehouseError): ErrorBody {
  return {
    error: {
      code: error.code,
      message: error.message,
      next: error.next,
      retryable: error.retryable,
      retryAfterMs: error.retryAfterMs,
      fields: error.fields,
      candidates: error.candidates,
      salesforce: error.salesforce,
    },
  };
}

/** The way back from a stored outcome. */
export function fromErrorBody({ error }: ErrorBody): GatehouseError {
  const { code, message, ...details } = error;
  return new GatehouseError(code, message, details);
}

/** Whatever was thrown, as ours. Unknown errors say nothing of themselves outside the log: only an id to look up. */
export function toGatehouseError(thrown: unknown, newId: () => string): GatehouseError {
  if (thrown instanceof GatehouseError) return thrown;
  const id = newId();
  return new GatehouseError('internal', `Something went wrong on our side (${id}).`, {
    next: `Tell the operator the id ${id}; it names the line in the log.`,
    cause: thrown,
  });
}
