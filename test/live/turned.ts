import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A proxy before an org that turns some of its answers round: so that a check of a fact is seen to fail. */

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Said {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Turn {
  /** What goes on to the org in place of what was asked. */
  readonly asked?: (asked: Asked) => Partial<Asked>;
  /** What is answered in place of what the org said; undefined leaves it. */
  readonly said?: (asked: Asked, said: Said) => Partial<Said> | undefined;
}

export async function openTurned(orgUrl: string, turn: Turn = {}) {
  const server = createServer((incoming, outgoing) => {
    const answer = async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
      const headers = Object.fromEntries(
        Object.entries(incoming.headers).flatMap(([name, value]) =>
          value === undefined || /^(host|connection|content-length|transfer-encoding)$/.test(name)
            ? []
            : [[name, String(value)] as const],
        ),
      );
      const given: Asked = {
        ...{ method: incoming.method ?? 'GET', path: incoming.url ?? '/', headers },
        // Byte for byte: a zip is among them.
        body: Buffer.concat(chunks).toString('latin1'),
      };
      const asked = { ...given, ...turn.asked?.(given) };
      const response = await fetch(orgUrl + asked.path, {
        ...{ method: asked.method, headers: asked.headers, redirect: 'manual' },
        ...(/^(GET|HEAD)$/.test(asked.method) ? {} : { body: Buffer.from(asked.body, 'latin1') }),
      });
      // The org names itself by the host that it was asked at.
      const own = (text: string) => text.replaceAll(orgUrl, url());
      const said = { status: response.status, body: own(await response.text()) };
      const turned: Said = { ...said, ...turn.said?.(given, said) };
      for (const [name, value] of response.headers)
        if (!/^(content-length|content-encoding|set-cookie|connection|transfer-encoding)$/.test(name))
          outgoing.setHeader(name, own(value));
      outgoing.setHeader('set-cookie', response.headers.getSetCookie());
      for (const [name, value] of Object.entries(turned.headers ?? {})) outgoing.setHeader(name, value);
      outgoing.statusCode = turned.status;
      outgoing.end(turned.body);
    };
    answer().catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // It listens on a port.
  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: url(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
