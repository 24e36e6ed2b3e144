import { execFile } from 'node:child_process';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGatehouse, type Gatehouse, MAIN, prepareForStock, type Started } from '../support/cli.ts';
import { TOOLS } from '../support/tools.ts';

/**
 * MCP clients that others wrote, at the built program. npx fetches them into npm's cache, which takes the network and a
 * minute, so they run only where they are asked for: GATEHOUSE_TEST_REQUIRE=mcp-clients.
 */

const isAsked = (process.env.GATEHOUSE_TEST_REQUIRE ?? '').split(',').includes('mcp-clients');
const why = isAsked ? '' : ' (skipped: set GATEHOUSE_TEST_REQUIRE=mcp-clients)';

const INSPECTOR = '@modelcontextprotocol/inspector@2.12.0';
const MCPORTER = 'mcporter@0.12.3';
const ERAS = ['legacy', 'modern'] as const;
const ACCOUNT = { opportunity: 'OPP-123' };

describe.runIf(isAsked)(`independent MCP clients${why}`, () => {
  let house: Gatehouse;
  let server: Started;
  let url: string;
  let key: string;
  let daemon: Record<string, string> = {};

  beforeAll(async () => {
    house = await createGatehouse();
    ({ key } = (await house.run(['bot', 'create', 'acme', '--profile', 'internal', '--json'])).json);
    await prepareForStock(house, 'acme');
    server = await house.start(['serve', '--port', '0']);
    url = server.document.mcp;
    const exports = (await npx(INSPECTOR, 'mcpdo', 'private')).matchAll(/^export (\w+)='(.*)'$/gm);
    daemon = Object.fromEntries([...exports].map(([, name, value]) => [name, value]));
  }, 180_000);
  afterAll(async () => {
    await npx(INSPECTOR, 'mcpdo', 'daemon', 'stop').catch(() => undefined);
    await house[Symbol.asyncDispose]();
  });

  async function npx(pkg: string, ...args: string[]): Promise<string> {
    const env = {
      ...house.env,
      ...daemon,
      GATEHOUSE_BOT_KEY: key,
      MCP_CATALOG_PATH: path.join(house.env.HOME ?? '', 'catalog.json'),
      npm_config_cache: process.env.npm_config_cache ?? path.join(homedir(), '.npm'),
    };
    // A home of its own: these clients read and write catalogues, sign-ins and a daemon there.
    const { stdout } = await promisify(execFile)('npx', ['-y', '-p', pkg, ...args], { env, cwd: house.env.HOME });
    return stdout;
  }
  const json = async (pkg: string, ...args: string[]) => JSON.parse(await npx(pkg, ...args));
  const header = () => `Authorization: Bearer ${key}`;
  const stdio = () => [process.execPath, MAIN, 'mcp', '--bot', 'acme'];

  describe('inspector', () => {
    const inspect = (...args: string[]) => json(INSPECTOR, 'mcp-inspector', '--cli', ...args);
    const names = ({ tools }: { tools: { name: string }[] }) => tools.map(({ name }) => name);
    const call = ['--method', 'tools/call', '--tool-name', 'GetAccount', '--tool-args-json', JSON.stringify(ACCOUNT)];

    it.each(ERAS)(
      'lists and calls over HTTP, %s era, and finds nothing that is not portable [C4] [X2]',
      async (era) => {
        const http = [url, '--transport', 'http', '--protocol-era', era, '--header', header()];
        expect(names(await inspect(...http, '--method', 'tools/list', '--strict'))).toEqual(TOOLS);
        expect((await inspect(...http, ...call)).structuredContent.status).toBe('done');
      },
      60_000,
    );

    it('lists and calls over stdio [X2]', async () => {
      // It hands a child none of its own environment.
      const own = { GATEHOUSE_DATA: house.dataDir, GATEHOUSE_BOT_KEY: key };
      const env = Object.entries(own).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
      expect(names(await inspect(...env, ...stdio(), '--method', 'tools/list', '--strict'))).toEqual(TOOLS);
      expect((await inspect(...env, ...stdio(), ...call)).structuredContent.status).toBe('done');
    }, 60_000);
  });

  it('mcporter calls over HTTP and stdio [X2]', async () => {
    const call = ['GetAccount', `opportunity=${ACCOUNT.opportunity}`, '--output', 'json'];
    const http = ['--http-url', url, '--allow-http', '--header', `Authorization=Bearer ${key}`];
    expect((await json(MCPORTER, 'mcporter', 'call', ...http, ...call)).status).toBe('done');
    expect((await json(MCPORTER, 'mcporter', 'call', '--stdio', stdio().join(' '), ...call)).status).toBe('done');
    const listed = await npx(MCPORTER, 'mcporter', 'list', ...http, '--json');
    for (const name of TOOLS) expect(listed).toContain(name);
  }, 90_000);

  it.each(ERAS)(
    'mcpdo shows the form and answers it for its person, %s era [C4]',
    async (era) => {
      const mcpdo = (...args: string[]) => json(INSPECTOR, 'mcpdo', ...args, '--connection', era, '--format', 'json');
      const move = (to: string) =>
        mcpdo('tools/call', 'UpdateOpportunity', 'reference:="OPP-124"', `nextStep:="${to}"`);
      await mcpdo('connect', url, '--transport', 'http', '--era', era, '--elicit', 'form', '--header', header());

      const declined = (await move(`declined in ${era}`)).elicitationPending;
      expect(declined.message).toContain('Acme care plan');
      const no = await mcpdo('elicitation/respond', declined.elicitationId, '--decline');
      expect(no.structuredContent.status).toBe('declined');

      const approved = (await move(`approved in ${era}`)).elicitationPending;
      const yes = await mcpdo('elicitation/respond', approved.elicitationId, 'decision:="approve"');
      expect(yes.structuredContent).toMatchObject({
        status: 'done',
        result: { changes: [{ field: 'NextStep', after: `approved in ${era}` }] },
      });
    },
    90_000,
  );
});
