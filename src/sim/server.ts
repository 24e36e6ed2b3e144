/** The simulated org as a real HTTP server. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSim, type Sim, type SimOptions } from './sim.ts';

const maxBody = 64 * 1024 * 1024;
/** Beyond what a bulk job takes, so that the org itself refuses it. */
const maxRows = 128 * 1024 * 1024;

export async function serveSim(
  options: SimOptions & { port: number; host?: string },
): Promise<{ url: string; close(): Promise<void> }> {
  const { port, host = '127.0.0.1', ...rest } = options;
  const sim = await createSim(rest);
  const server = createServer({ maxHeaderSize: 64 * 1024 }, (incoming, outgoing) => {
    // Whatever fails here fails one caller: an org that lost the connection, or one that dropped it on purpose.
    answer(sim, incoming, outgoing).catch(() => incoming.socket.destroySoon());
  });
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  // A connection that could not be accepted is its caller's trouble.
  server.on('error', () => {});
  // A server that listens on a port has an address of this kind.
  const { port: actual } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${actual}`,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      await sim.close();
    },
  };
}

async function answer(sim: Sim, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const gone = new AbortController();
  outgoing.once('close', () => gone.abort());
  const hostHeader = incoming.headers.host ?? 'localhost';
  const method = incoming.method ?? 'GET';
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers))
    if (value !== undefined) headers.set(name, String(value));
  const body = method === 'GET' || method === 'HEAD' ? undefined : await readBody(incoming);
  const request = new Request(new URL(incoming.url ?? '/', `http://${hostHeader}`), {
    method,
    headers,
    signal: gone.signal,
    ...(body ? { body } : {}),
  });
  const loopback = isLoopbackAddress(incoming.socket.remoteAddress) && isLoopbackHost(hostHeader);
  const response = await sim.fetch(request, { loopback });
  outgoing.statusCode = response.status;
  for (const [name, value] of response.headers) outgoing.setHeader(name, value);
  outgoing.setHeader('Set-Cookie', response.headers.getSetCookie());
  if (!response.body) {
    outgoing.end();
    return;
  }
  for await (const chunk of response.body) {
    // Half a body must have left before the connection goes: the caller is to see it cut, not missing.
    await new Promise<void>((sent) => outgoing.write(chunk, () => sent()));
  }
  outgoing.end();
}

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const most = /\/jobs\/ingest\/\w+\/batches$/.test(incoming.url ?? '') ? maxRows : maxBody;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming) {
    size += chunk.length;
    if (size > most) throw new Error('The request is larger than the simulated org accepts.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function isLoopbackAddress(address = ''): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}

/** A page on the internet may resolve its own name to this machine; its Host header gives it away. */
function isLoopbackHost(host: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/i.test(host);
}
