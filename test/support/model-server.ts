import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** An endpoint of Chat Completions on loopback that says what the test tells it to, chunk by chunk. */
export interface ModelServer extends AsyncDisposable {
  readonly baseUrl: string;
  /** Bodies of the requests so far. */
  // biome-ignore lint/suspicious/noExplicitAny: the test reads what it expects
  readonly requests: readonly any[];
}

/** One answer of the model: text, calls, or raw chunks and statuses where the wire itself is the subject. */
export type Scripted =
  | {
      readonly text?: string;
      readonly calls?: readonly { readonly name: string; readonly args: unknown; readonly id?: string }[];
    }
  | { readonly chunks: readonly unknown[]; readonly noDone?: boolean }
  | { readonly status: number; readonly body: unknown }
  | { readonly json: unknown }
  /** Sends this much text and then nothing more, until the client leaves. */
  | { readonly stall: string };

/** Answers from a list, or by looking at the request. */
// biome-ignore lint/suspicious/noExplicitAny: a request body as the test reads it
export type Script = readonly Scripted[] | ((request: any, at: number) => Scripted);

export async function startModelServer(script: Script): Promise<ModelServer> {
  // biome-ignore lint/suspicious/noExplicitAny: as above
  const requests: any[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const body = JSON.parse(await text(request));
    const at = requests.push(body) - 1;
    const said = typeof script === 'function' ? script(body, at) : script[at];
    if (said === undefined) return send(response, 500, { error: { message: 'the script is over' } });
    if ('status' in said) return send(response, said.status, said.body);
    if ('json' in said) return send(response, 200, said.json);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const write = (chunk: unknown) => response.write(`data: ${JSON.stringify(chunk)}\n\n`);
    if ('stall' in said) {
      write(delta({ content: said.stall }));
      return;
    }
    for (const chunk of 'chunks' in said ? said.chunks : chunksOf(said)) write(chunk);
    response.end('noDone' in said && said.noDone ? '' : 'data: [DONE]\n\n');
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function chunksOf({
  text: words = '',
  calls = [],
}: Exclude<Scripted, { chunks: unknown } | { status: number } | { json: unknown } | { stall: string }>) {
  return [
    ...words.split(/(?<= )/).map((content) => delta({ content })),
    ...calls.map(({ name, args, id }, index) =>
      delta({
        tool_calls: [
          {
            index,
            id: id ?? `call_${crypto.randomUUID()}`,
            type: 'function',
            function: { name, arguments: typeof args === 'string' ? args : JSON.stringify(args) },
          },
        ],
      }),
    ),
    { choices: [{ index: 0, delta: {}, finish_reason: calls.length > 0 ? 'tool_calls' : 'stop' }] },
    { choices: [], usage: { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 } },
  ];
}

export function delta(piece: Readonly<Record<string, unknown>>, finish: string | null = null) {
  return { choices: [{ index: 0, delta: piece, finish_reason: finish }] };
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
