import type { Server, ServerEventBus, Tool } from '@modelcontextprotocol/server';
import { keptFor } from '../domain/kept-for.ts';
import type { McpCaller, McpDeps } from './deps.ts';
import { toTool } from './tools.ts';

/**
 * Tells clients that their list of tools is old: operators grant, revoke, switch off and declare actions in any process, so that the store
 * is looked at, as long as somebody is there to be told.
 */

type WatchDeps = Pick<McpDeps, 'gate' | 'log' | 'watchMs'>;

const WATCH_MS = 2_000;

/** Those of one bot who are told; one look at the store serves them all, however many clients are there. */
interface Watched {
  readonly told: Set<(tools: string) => void>;
  timer: NodeJS.Timeout | undefined;
}

const watchedBy = keptFor((_gate: McpDeps['gate']) => new Map<string, Watched>());

/** `tell` gets the tools of each look, changed or not. Answers what ends it. */
function watchTools(deps: WatchDeps, bot: string, tell: (tools: string) => void): () => void {
  const all = watchedBy(deps.gate);
  const watched = all.get(bot) ?? { told: new Set(), timer: undefined };
  watched.told.add(tell);
  if (watched.timer === undefined) {
    watched.timer = setInterval(() => void look(deps, bot, watched.told), deps.watchMs ?? WATCH_MS);
    watched.timer.unref();
    all.set(bot, watched);
  }
  return () => {
    watched.told.delete(tell);
    if (watched.told.size > 0 || all.get(bot) !== watched) return;
    clearInterval(watched.timer);
    all.delete(bot);
  };
}

async function look({ gate, log }: WatchDeps, bot: string, told: Iterable<(tools: string) => void>): Promise<void> {
  try {
    const now = JSON.stringify((await gate.actions(bot)).map(toTool));
    for (const one of told) one(now);
  } catch (error) {
    // A store that is away for a moment: the next look tells.
    log.debug('the tools of a bot were not looked at', { bot, error: String(error) });
  }
}

/** For the server of one client that stays connected: told from its first listing on. */
export function createToolsWatch(
  deps: WatchDeps,
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
      .catch((error) => deps.log.debug('a client was not told of its tools', { bot, error: String(error) }));
  };
  return (listed) => {
    known = JSON.stringify(listed);
    if (isTold || server.transport === undefined) return;
    isTold = true;
    const stop = watchTools(deps, bot, tell);
    const ended = server.onclose;
    server.onclose = () => {
      isTold = false;
      stop();
      ended?.();
    };
  };
}

/** For 2026-era clients over HTTP, which hold a `subscriptions/listen` open: told of what changes after it was opened. */
export function createToolsBus(deps: WatchDeps, bot: string, whenUnused: () => void): ServerEventBus {
  let open = 0;
  return {
    // Nothing of this process publishes: what changed is seen in the store.
    publish() {},
    subscribe(listener) {
      let known: string | undefined;
      const tell = (tools: string) => {
        const isNews = known !== undefined && tools !== known;
        known = tools;
        if (isNews) listener({ kind: 'tools_list_changed' });
      };
      open += 1;
      const stop = watchTools(deps, bot, tell);
      void look(deps, bot, [tell]);
      let isOpen = true;
      return () => {
        if (!isOpen) return;
        isOpen = false;
        stop();
        open -= 1;
        if (open === 0) whenUnused();
      };
    },
  };
}
