/** How the org says no. The REST API answers an array of these; Collections rename errorCode to statusCode. */

export interface Fault {
  readonly errorCode: string;
  readonly message: string;
  /** Present on DML errors, often empty; absent on parse, query and session errors. */
  readonly fields?: readonly string[];
  /** The misspelling is Salesforce's own. */
  readonly duplicateResut?: unknown;
}

export class Refusal extends Error {
  readonly status: number;
  readonly faults: readonly Fault[];

  constructor(status: number, ...faults: Fault[]) {
    super(faults.map((fault) => `${fault.errorCode}: ${fault.message}`).join('; '));
    this.status = status;
    this.faults = faults;
  }
}

/** A refusal of a write: carries `fields`. */
export function refuseWrite(errorCode: string, message: string, fields: readonly string[] = []): Refusal {
  return new Refusal(400, { message, errorCode, fields });
}

export function refuse(status: number, errorCode: string, message: string): Refusal {
  return new Refusal(status, { message, errorCode });
}

/** These two put errorCode first, as recorded. */
export function notFound(message = 'The requested resource does not exist'): Refusal {
  return new Refusal(404, { errorCode: 'NOT_FOUND', message });
}

export function methodNotAllowed(method: string, allowed: string): Refusal {
  const message = `HTTP Method '${method}' not allowed. Allowed are ${allowed}`;
  return new Refusal(405, { errorCode: 'METHOD_NOT_ALLOWED', message });
}
