import { createMCPClient, ElicitationRequestSchema, type MCPTransport } from '@ai-sdk/mcp';
import { Experimental_StdioMCPTransport as AiSdkStdio } from '@ai-sdk/mcp/mcp-stdio';
import { type MCPServer, MCPServerStdio, MCPServerStreamableHttp } from '@openai/agents';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGatehouse, type Gatehouse, MAIN, type Started } from '../support/cli.ts';
import { TOOLS } from '../support/tools.ts';

/** The MCP clients of two agent libraries, as their users start them, at the built program over both transports. */

const move = (nextStep: string) => ({ reference: 'OPP-124', nextStep });

let house: Gatehouse;
let server: Started;
let key: string;
let operatorKey: string;

beforeAll(async () => {
  house = await createGatehouse();
  key = (await house.run(['bot', 'create', 'acme', '--profile', 'internal', '--json'])).json.key;
  operatorKey = (await house.run(['operator', 'create', 'ann', '--role', 'approver', '--json'])).json.key;
  server = await house.start(['serve', '--port', '0']);
}, 60_000);
afterAll(() => house[Symbol.asyncDispose]());

const headers = () => ({ Authorization: `Bearer ${key}` });
const command = () => ({
  command: process.execPath,
  args: [MAIN, 'mcp', '--bot', 'acme'],
  env: { ...house.env, GATEHOUSE_BOT_KEY: key, GATEHOUSE_LOG: 'silent' },
});

async function approveElsewhere(id: string): Promise<void> {
  const ran = await house.run(['approve', id, '--json'], { env: { GATEHOUSE_OPERATOR_KEY: operatorKey } });
  expect(ran.json.status).toBe('done');
}

/** What a model is handed: the first text block. */
// biome-ignore lint/suspicious/noExplicitAny: what an envelope holds is for each test to say
function told(result: unknown): any {
  const content = Array.isArray(result) ? result : (result as { content: unknown[] }).content;
  return JSON.parse((content[0] as { text: string }).text);
}

describe.each(['http', 'stdio'] as const)('@ai-sdk/mcp over %s', (road) => {
  const transport = () =>
    road === 'http'
      ? { type: 'http' as const, url: server.document.mcp, headers: headers() }
      : (new AiSdkStdio(command()) as MCPTransport);

  it('lists, reads, gives the link and sees the approval [X2] [C4]', async () => {
    const client = await createMCPClient({ transport: transport() });
    try {
      const tools = await client.tools();
      expect(Object.keys(tools)).toEqual(TOOLS);
      const call = (name: string, args: object) =>
        tools[name]?.execute?.(args, { toolCallId: '1', messages: [] }) ?? expect.fail(`${name} is there`);
      expect(told(await call('GetAccount', { opportunity: 'OPP-123', id: null })).status).toBe('done');
      const waiting = told(await call('UpdateOpportunity', move(`ai-sdk, ${road}`)));
      expect(waiting).toMatchObject({ status: 'waiting', next: expect.stringContaining('link') });
      await approveElsewhere(waiting.proposal.id);
      expect(told(await call('GetProposal', { id: waiting.proposal.id })).status).toBe('done');
    } finally {
      await client.close();
    }
  }, 60_000);

  it('shows the form to its person [C4]', async () => {
    const client = await createMCPClient({ transport: transport(), capabilities: { elicitation: {} } });
    const asked: string[] = [];
    client.onElicitationRequest(ElicitationRequestSchema, ({ params }) => {
      asked.push(params.message);
      return { action: 'accept', content: { decision: 'approve' } };
    });
    try {
      const tools = await client.tools();
      const args = move(`ai-sdk is asked, ${road}`);
      const done = await tools.UpdateOpportunity?.execute?.(args, { toolCallId: '1', messages: [] });
      expect(told(done).status).toBe('done');
      expect(asked).toEqual([expect.stringContaining('waits for your decision')]);
    } finally {
      await client.close();
    }
  }, 60_000);
});

describe.each(['http', 'stdio'] as const)('@openai/agents over %s', (road) => {
  it('lists, reads, gives the link and sees the approval [X2] [C4]', async () => {
    const client: MCPServer =
      road === 'http'
        ? new MCPServerStreamableHttp({ url: server.document.mcp, requestInit: { headers: headers() } })
        : new MCPServerStdio(command());
    await client.connect();
    try {
      expect((await client.listTools()).map(({ name }) => name)).toEqual(TOOLS);
      expect(told(await client.callTool('GetAccount', { opportunity: 'OPP-123' })).status).toBe('done');
      const waiting = told(await client.callTool('UpdateOpportunity', move(`agents, ${road}`)));
      expect(waiting).toMatchObject({ status: 'waiting', next: expect.stringContaining('link') });
      await approveElsewhere(waiting.proposal.id);
      expect(told(await client.callTool('GetProposal', { id: waiting.proposal.id })).status).toBe('done');
    } finally {
      await client.close();
    }
  }, 60_000);
});
