import { setImmediate } from 'node:timers/promises';
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import type { McpCaller, McpDeps } from './deps.ts';
import { createMcpServer } from './server.ts';
import { idIn, ShortLines } from './short-lines.ts';
import { Wire } from './wire.ts';

/** A write that was begun, and a model that waits for a person's answer to it. */
const LAST_ANSWERS_MS = 60_000;
/** As over HTTP. */
const MOST_BYTES = 1024 * 1024;
const INVALID_REQUEST = -32_600;

/**
 * MCP over this process's standard streams, until the client closes them. Standard output is the wire, so nothing else
 * may print; starting has no side effects, because a negotiating client starts the command twice. Once the input ends,
 * what was asked is still answered: a client may write everything at once and then only read.
 */
export async function serveMcpStdio(deps: McpDeps, caller: McpCaller): Promise<void> {
  // The SDK stops at the end of its input, whatever is under way: so it does not see that end before we are done.
  const lines: ShortLines = new ShortLines(MOST_BYTES, ({ why, head, tail }) => {
    const id = idIn(head, tail);
    deps.log.warn('a message of the MCP client was not read', { why });
    if (id !== undefined) void transport.send({ jsonrpc: '2.0', id, error: { code: INVALID_REQUEST, message: why } });
  });
  const transport = new StdioServerTransport(lines, process.stdout);
  const wire = new Wire(transport);
  let isOver = false;
  const own: McpDeps = {
    ...deps,
    // A page of ours would be gone before anybody could open it.
    openPage: async () => !isOver && ((await deps.openPage?.()) ?? true),
  };
  const handle = serveStdio(({ era }) => createMcpServer(own, caller, era), {
    transport: wire,
    onerror: (error) => deps.log.debug('mcp stdio', { error: error.name }),
  });
  const closed = new Promise<void>((resolve) => {
    // serveStdio has set its own hook by now; a broken stdout ends there.
    const ended = wire.onclose;
    wire.onclose = () => {
      ended?.();
      resolve();
    };
  });
  const inputEnded = new Promise<void>((resolve) => {
    for (const event of ['end', 'close', 'error']) process.stdin.once(event, () => resolve());
  });
  process.stdin.pipe(lines, { end: false });
  const lastAnswers = inputEnded.then(async () => {
    isOver = true;
    // What was read is on its way still, and the last line may lack its end.
    lines.write('\n');
    do await setImmediate();
    while (lines.writableLength + lines.readableLength > 0);
    wire.clientIsGone();
    await wire.whenAnswered(LAST_ANSWERS_MS);
  });
  await Promise.race([closed, lastAnswers]);
  process.stdin.unpipe(lines);
  await handle.close();
}
