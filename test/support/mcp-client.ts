import { Client, type ClientOptions } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { type Gatehouse, MAIN } from './cli.ts';

/** A client of the official package before the built stdio server. */
export async function connectStdio(
  house: Pick<Gatehouse, 'env'>,
  options: {
    readonly bot?: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly client?: ClientOptions;
  } = {},
) {
  const client = new Client({ name: 'test', version: '1.0.0' }, options.client ?? {});
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [MAIN, 'mcp', '--bot', options.bot ?? 'demo'],
    env: { ...house.env, GATEHOUSE_LOG: 'silent', ...options.env },
    stderr: 'pipe',
  });
  await client.connect(transport);
  return {
    client,
    pid: transport.pid ?? 0,
    // biome-ignore lint/suspicious/noExplicitAny: what a test expects of the envelope it says itself
    call: async (name: string, args: Record<string, unknown>): Promise<any> => {
      const result = await client.callTool({ name, arguments: args });
      const [first] = result.content;
      return result.structuredContent ?? JSON.parse(first?.type === 'text' ? first.text : '{}');
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}
