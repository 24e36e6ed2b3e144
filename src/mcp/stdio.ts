import { PassThrough } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import type { McpCaller, McpDeps } from './deps.ts';
import { createMcpServer } from './server.ts';
import { Wire } from './wire.ts';

/** A write that was begun, and a model that waits for a person's answer to it. */
const LAST_ANSWERS_MS = 60_000;

/**
 * MCP over this process's standard streams, until the client closes them. Standard output is the wire, so nothing else
 * may print; starting has no side effects, because a negotiating client starts the command twice. Once the input ends,
 * what was asked is still answered: a client may write everything at once and then only read.
 */
export async function serveMcpStdio(deps: McpDeps, caller: McpCaller): Promise<void> {
  // The SDK stops at the end of its input, whatever is under way: so it does not see that end before we are done.
  const input = new PassThrough();
  const wire = new Wire(new StdioServerTransport(input, process.stdout));
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
  process.stdin.pipe(input, { end: false });
  const lastAnswers = inputEnded.then(async () => {
    isOver = true;
    // The last line may lack its end.
    input.write('\n');
    do await setImmediate();
    while (input.readableLength > 0);
    wire.clientIsGone();
    await wire.whenAnswered(LAST_ANSWERS_MS);
  });
  await Promise.race([closed, lastAnswers]);
  process.stdin.unpipe(input);
  await handle.close();
}
