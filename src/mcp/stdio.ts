import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import type { McpCaller, McpDeps } from './deps.ts';
import { createMcpServer } from './server.ts';

/**
 * MCP over this process's standard streams, until the client closes them. Standard output is the wire, so nothing else
 * may print; starting has no side effects, because a negotiating client starts the command twice.
 */
export async function serveMcpStdio(deps: McpDeps, caller: McpCaller): Promise<void> {
  const transport = new StdioServerTransport();
  const handle = serveStdio(({ era }) => createMcpServer(deps, caller, era), {
    transport,
    onerror: (error) => deps.log.debug('mcp stdio', { error: error.name }),
  });
  await new Promise<void>((resolve) => {
    // serveStdio has set its own hook by now; a closed stdin and a broken stdout both end there.
    const ended = transport.onclose;
    transport.onclose = () => {
      ended?.();
      resolve();
    };
  });
  await handle.close();
}
