import { type ErrorCode, type ErrorDetails, GatehouseError, toErrorBody } from './errors.ts';

/** What HTTP itself refuses, at the REST and the MCP address alike: an error of ours with the status that HTTP has for it. */
export class HttpRefusal extends GatehouseError {
  readonly httpStatus: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    httpStatus: number,
    code: ErrorCode,
    message: string,
    details: ErrorDetails,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(code, message, details);
    this.httpStatus = httpStatus;
    this.headers = headers;
  }
}

/** Status and headers of an error on the wire. */
export function httpFacts(error: GatehouseError): { status: number; headers: Record<string, string> } {
  const headers: Record<string, string> = error instanceof HttpRefusal ? { ...error.headers } : {};
  if (error.retryAfterMs !== undefined)
    headers['retry-after'] = String(Math.max(1, Math.ceil(error.retryAfterMs / 1000)));
  if (error.code === 'unauthenticated') headers['www-authenticate'] = 'Bearer realm="gatehouse"';
  return { status: error instanceof HttpRefusal ? error.httpStatus : error.status, headers };
}

export function errorResponse(error: GatehouseError): Response {
  const { status, headers } = httpFacts(error);
  return Response.json(toErrorBody(error), { status, headers });
}
