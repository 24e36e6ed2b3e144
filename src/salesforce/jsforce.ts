import { Duplex } from 'node:stream';
import { Connection } from 'jsforce';
import { clientName, type OrgRequest, type RequestPipeline } from './request.ts';

/**
 * jsforce for breadth, on our own requests: its stock transport retries writes' cousins five times, follows redirects with the
 * token and never notices a reply cut in mid-body. 240 ms and 40 MB to import, so only ever loaded when asked for.
 */
export function rideOn(pipeline: RequestPipeline, apiVersion: string, instanceUrl: string): Connection {
  const connection = new Connection({
    instanceUrl,
    version: apiVersion.replace(/^v/, ''),
    callOptions: { client: clientName(pipeline.row) },
    // The pipeline authorises; jsforce never sees a token.
    accessToken: 'held-by-gatehouse',
  });
  const transport = {
    httpRequest(request: JsforceRequest) {
      const answer = pipeline.send(toRequest(request, instanceUrl)).then(({ status, header, text }) => ({
        statusCode: status,
        headers: {
          'content-type': header('content-type') ?? 'application/json',
          'sforce-limit-info': header('sforce-limit-info') ?? '',
        },
        body: text,
      }));
      // jsforce wants a stream beside every promise, but uses it only where a body is piped, as Bulk does.
      return Object.assign(answer, { stream: () => new Duplex({ read() {}, write: refuseUpload }) });
    },
  };
  // `_transport` is the one seam that jsforce has; it is typed as a class with private parts, of which only httpRequest is used.
  Object.assign(connection, { _transport: transport });
  return connection;
}

interface JsforceRequest {
  readonly url: string;
  readonly method: string;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

function toRequest({ url, method, headers = {}, body }: JsforceRequest, instanceUrl: string): OrgRequest {
  const target = new URL(url, instanceUrl);
  if (target.origin !== new URL(instanceUrl).origin) throw new TypeError('jsforce asked for another host.');
  const kept = Object.entries(headers).filter(
    ([name]) => !/^(authorization|content-length|sforce-call-options)$/i.test(name),
  );
  return {
    method: known(method),
    path: target.pathname + target.search,
    headers: Object.fromEntries(kept.map(([name, value]) => [name.toLowerCase(), String(value)])),
    ...(typeof body === 'string' && body !== '' ? { body: JSON.parse(body) } : {}),
  };
}

function refuseUpload(_chunk: unknown, _encoding: string, done: (error: Error) => void): void {
  done(new TypeError('Requests carry no streams; Bulk goes its own way.'));
}

function known(method: string): NonNullable<OrgRequest['method']> {
  const upper = method.toUpperCase();
  if (upper === 'GET' || upper === 'POST' || upper === 'PATCH' || upper === 'DELETE') return upper;
  throw new TypeError(`A request is never sent as ${upper}.`);
}
