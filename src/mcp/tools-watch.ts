import type { Server, Tool } from '@modelcontextprotocol/server';
import { keptFor } from '../domain/kept-for.ts';
import type { McpCaller, McpDeps } from './deps.ts';
import { toTool } from './tools.ts';

const WATCH_MS = 2_000;

/** Those of one bot who are told; one look at the store serves them all, however many clients are there. */
interface Watched {
  readonly told: Set<(tools: string) => void>;
  timer: NodeJS.Timeout | undefined;
}

const watchedBy = keptFor((_gate: McpDeps['gate']) => new Map<string, Watched>());

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
  let isTold = false;
  const tell = (tools: string) => {
    if (tools === known) return;
    known = tools;
    server
      .sendToolListChanged()
      .catch((error) => log.debug('a client was not told of its tools', { bot, error: String(error) }));
  };
  return (listed) => {
    known = JSON.stringify(listed);
    if (isTold || server.transport === undefined) return;
    isTold = true;
    const watched = watch();
    watched.told.add(tell);
    const ended = server.onclose;
    server.onclose = () => {
      isTold = false;
      watched.told.delete(tell);
      if (watched.told.size === 0) {
        clearInterval(watched.timer);
        watchedBy(gate).delete(bot);
      }
      ended?.();
    };
  };

  function watch(): Watched {
    const before = watchedBy(gate).get(bot);
    if (before) return before;
    const watched: Watched = { told: new Set(), timer: undefined };
    watched.timer = setInterval(() => void look(watched), watchMs);
    watched.timer.unref();
    watchedBy(gate).set(bot, watched);
    return watched;
  }

  async function look({ told }: Watched): Promise<void> {
    try {
      const now = JSON.stringify((await gate.actions(bot)).map(toTool));
      for (const one of told) one(now);
    } catch (error) {
      // A store that is away for a moment: the next look tells.
      log.debug('the tools of a bot were not looked at', { bot, error: String(error) });
    }
  }
}
