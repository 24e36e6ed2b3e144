import type { Server, Tool } from '@modelcontextprotocol/server';
import type { McpCaller, McpDeps } from './deps.ts';
import { toTool } from './tools.ts';

const WATCH_MS = 2_000;

/**
 * Tells a client that its list of tools is old: operators grant, revoke, switch off and declare actions in any process, so that the store
 * is looked at. Only where a list was asked for, and as long as somebody is there to be told.
 */
export function createToolsWatch(
  { gate, log, watchMs = WATCH_MS }: McpDeps,
  { bot }: McpCaller,
  server: Server,
): (listed: readonly Tool[]) => void {
  let known = '';
  let timer: NodeJS.Timeout | undefined;
  const look = async () => {
    try {
      const now = JSON.stringify((await gate.actions(bot)).map(toTool));
      if (now === known || timer === undefined) return;
      known = now;
      await server.sendToolListChanged();
    } catch (error) {
      // A store that is away for a moment: the next look tells.
      log.debug('the tools of a session were not looked at', { bot, error: String(error) });
    }
  };
  return (listed) => {
    known = JSON.stringify(listed);
    if (timer !== undefined || server.transport === undefined) return;
    timer = setInterval(() => void look(), watchMs);
    timer.unref();
    const ended = server.onclose;
    server.onclose = () => {
      clearInterval(timer);
      timer = undefined;
      ended?.();
    };
  };
}
