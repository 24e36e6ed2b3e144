import { queries } from './api.ts';

/**
 * Hints of the server that something changed, never data: what they name is asked again. A hidden tab does not listen, and a
 * lost hint costs nothing, since every list asks anew by itself.
 */

interface Hint {
  readonly type: 'proposal' | 'connection' | 'sync' | 'audit' | 'policy';
}

/** First word of the query keys that a hint makes old. */
const OLD: Readonly<Record<Hint['type'], readonly string[]>> = {
  proposal: ['proposals', 'notices'],
  connection: ['bots', 'notices'],
  sync: ['sync', 'notices'],
  audit: ['audit', 'charts'],
  policy: ['policy', 'bots'],
};
const ONCE_MS = 1_000;
/** Refused, as where too many pages are open or the server starts: a browser asks again by itself only after a broken line. */
const AGAIN_MS = 30_000;

const waiting = new Set<string>();
let isTimed = false;
let source: EventSource | undefined;
let hasListened = false;

function take({ type }: Hint): void {
  for (const word of OLD[type] ?? []) waiting.add(word);
  if (isTimed) return;
  isTimed = true;
  setTimeout(() => {
    isTimed = false;
    const words = [...waiting];
    waiting.clear();
    for (const word of words) void queries.invalidateQueries({ queryKey: [word] });
  }, ONCE_MS);
}

function listen(): void {
  if (document.hidden) {
    source?.close();
    source = undefined;
    return;
  }
  if (source !== undefined) return;
  source = new EventSource('/api/events');
  source.addEventListener('message', ({ data }: MessageEvent<string>) => take(JSON.parse(data)));
  const own = source;
  own.addEventListener('error', () => {
    if (own.readyState !== EventSource.CLOSED || own !== source) return;
    source = undefined;
    setTimeout(listen, AGAIN_MS);
  });
  // What was missed while nobody listened; a page that has just come has missed nothing.
  source.addEventListener('open', () => {
    if (hasListened) void queries.invalidateQueries();
    hasListened = true;
  });
}

export function startEvents(): void {
  document.addEventListener('visibilitychange', listen);
  listen();
}
