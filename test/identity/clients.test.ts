import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from '@modelcontextprotocol/client';
import { Client as ClassicClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as ClassicHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { describe, expect, it } from 'vitest';
import type { Door, SignedIn } from '../support/door.ts';
import { openIdentityDoor } from './person.ts';

/** The genuine clients: each finds the sign-in by itself, from a 401 to a call, a refresh and an end. */

interface Store {
  tokens?: object | undefined;
  client?: object | undefined;
  verifier?: string | undefined;
  sentTo?: URL | undefined;
}

/** What a client keeps between its steps, as its host app would. */
function provider(kept: Store, redirectUrl: string) {
  return {
    redirectUrl,
    clientMetadata: {
      redirect_uris: [redirectUrl],
      client_name: 'Genuine client',
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
    },
    clientInformation: () => kept.client as never,
    saveClientInformation: (client: object) => {
      kept.client = client;
    },
    tokens: () => kept.tokens as never,
    saveTokens: (tokens: object) => {
      kept.tokens = tokens;
    },
    redirectToAuthorization: (url: URL) => {
      kept.sentTo = url;
    },
    saveCodeVerifier: (verifier: string) => {
      kept.verifier = verifier;
    },
    codeVerifier: () => kept.verifier ?? '',
  };
}

const CLIENTS = {
  classic: (url: URL, authProvider: ReturnType<typeof provider>) => {
    const transport = new ClassicHttp(url, { authProvider });
    const client = new ClassicClient({ name: 'test', version: '1.0.0' });
    return {
      finish: (back: URLSearchParams) => transport.finishAuth(back.get('code') ?? ''),
      connect: () => client.connect(transport as Parameters<typeof client.connect>[0]),
      tools: async () => (await client.listTools()).tools.map(({ name }) => name),
      call: (name: string, args: Record<string, unknown>) => client.callTool({ name, arguments: args }),
      close: () => client.close(),
    };
  },
  modern: (url: URL, authProvider: ReturnType<typeof provider>) => {
    const transport = new ModernHttp(url, { authProvider });
    const client = new ModernClient({ name: 'test', version: '1.0.0' });
    return {
      finish: (back: URLSearchParams) => transport.finishAuth(back),
      connect: () => client.connect(transport),
      tools: async () => (await client.listTools()).tools.map(({ name }) => name),
      call: (name: string, args: Record<string, unknown>) => client.callTool({ name, arguments: args }),
      close: () => client.close(),
    };
  },
} as const;

/** A program on this computer that waits for its code. */
async function callback() {
  const codes: URL[] = [];
  const server = createServer((request, response) => {
    codes.push(new URL(request.url ?? '/', 'http://localhost'));
    response.end('You can close this page.');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/oauth/callback`;
  return { url, codes, close: () => new Promise((resolve) => server.close(resolve)) };
}

/** The person's browser: opens what the client asks for, says yes, and goes where it is sent. */
async function sayYes(door: Door, at: URL, as: SignedIn): Promise<void> {
  const question = await door.ask('GET', `${at.pathname}${at.search}`, { as });
  const page = question.headers.get('location') ?? '';
  const shown = await door.ask('GET', page, { as });
  expect(shown.text).toContain('a program on this computer');
  const request = new URLSearchParams(page.split('?')[1]).get('request') ?? '';
  const form = { csrf: as.csrf, request, answer: 'allow', bot: door.world.bot, write: 'yes' };
  const back = await door.ask('POST', '/oauth/consent', { as, form });
  expect(back.status).toBe(303);
  await fetch(back.headers.get('location') ?? '');
}

describe.each(['classic', 'modern'] as const)('a genuine %s client', (kind) => {
  it('goes from a 401 to a call, a refresh and its end without any set-up [X8, P9]', async () => {
    await using door = await openIdentityDoor();
    const program = await callback();
    try {
      const ada = await door.signIn('admin');
      const kept: Store = {};
      const url = new URL(`${door.url}/mcp`);
      const first = CLIENTS[kind](url, provider(kept, program.url));
      await expect(first.connect()).rejects.toThrow(/unauthorized/i);
      await sayYes(door, kept.sentTo ?? expect.fail('nobody was asked'), ada);
      const [back] = program.codes;
      expect(back?.searchParams.get('iss')).toBe(door.url);
      await first.finish(back?.searchParams ?? new URLSearchParams());

      const second = CLIENTS[kind](url, provider(kept, program.url));
      await second.connect();
      expect(await second.tools()).toContain('GetAccount');
      const answer = await second.call('RunSOQL', { soql: 'SELECT COUNT() FROM Account' });
      expect(answer.isError ?? false).toBe(false);
      const rows = await door.world.app.store.audit.find({
        principal: `operator:${ada.name}`,
        channel: 'mcp',
        limit: 50,
      });
      expect(rows.map(({ action }) => action)).toContain('RunSOQL');
      await second.close();

      // An hour later the client finds its way by itself.
      const before = kept.tokens;
      door.world.clock.advance(61 * 60_000);
      const third = CLIENTS[kind](url, provider(kept, program.url));
      await third.connect();
      expect(await third.tools()).toContain('GetAccount');
      expect(kept.tokens).not.toEqual(before);

      const [app] = await door.world.app.identity.apps();
      expect(app).toMatchObject({ operator: ada.name, bot: door.world.bot, client: 'Genuine client' });
      await door.world.app.identity.end(app?.id ?? '', { principal: 'operator:test', channel: 'rest' });
      await expect(third.tools()).rejects.toThrow();
      await third.close();
    } finally {
      await program.close();
    }
  });
});
