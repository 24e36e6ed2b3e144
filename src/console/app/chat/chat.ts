import type { TranscriptEntry } from '../../../chat/conversation.ts';
import type { ChatEvent } from '../../../chat/events.ts';
import { eventsOf } from '../sse.ts';
import * as draw from './draw.ts';
import { type Answer, find, left, log, type Shown } from './draw.ts';
import * as wire from './wire.ts';
import { ask, clock, insist, Refused } from './wire.ts';

/**
 * The chat page. It knows the conversation's id and, where the host app signed one, the person's session; never a key. What it
 * shows after a lost connection, a reload or a restart of the server is what the server stored.
 */

interface Stored {
  readonly now: string;
  readonly entries: readonly TranscriptEntry[];
  readonly proposals: readonly Shown[];
  readonly isBusy: boolean;
  readonly canResume: boolean;
}

const LOST = 'The connection was lost. Trying again…';
const words = find<HTMLTextAreaElement>('[data-words]');
const send = find('[data-send]');
const stop = find('[data-stop]');
const say = (text: string) => {
  find('[data-status]').textContent = text;
};

// ---- a turn
let busy: AbortController | undefined;

function working(turn: AbortController | undefined): void {
  busy = turn;
  draw.thinking(turn !== undefined);
  send.hidden = turn !== undefined;
  stop.hidden = turn === undefined;
  for (const button of log.querySelectorAll<HTMLButtonElement>('[data-card] button'))
    button.disabled = turn !== undefined;
}

/** Runs the events of one turn; true when it came to its end. */
async function follows(path: string, body: object): Promise<boolean> {
  const turn = new AbortController();
  working(turn);
  let line: Text | undefined;
  let isWhole = false;
  try {
    const answer = await insist(`/${wire.currentTalk()}${path}`, body, turn.signal);
    for await (const event of eventsOf<ChatEvent>(answer)) {
      if (event.type !== 'text') {
        draw.tidy(line);
        line = undefined;
      }
      if (event.type === 'text') {
        draw.thinking(false);
        line ??= draw.bot('');
        line.appendData(event.delta);
        draw.hear(event.delta);
      } else if (event.type === 'tool') {
        draw.thinking(false);
        draw.step(event);
        if (event.phase !== 'started') draw.thinking(true);
      } else if (event.type === 'proposal') draw.card(event.proposal, decide);
      else if (event.type === 'receipt') draw.receipt(event.receipt);
      else if (event.type === 'error') draw.notice('bad', event.error.message, event.error.next);
      else if (event.type === 'done') {
        isWhole = true;
        if (event.reason === 'stopped') draw.notice('warn', 'Stopped.');
      }
      draw.follow();
    }
    return isWhole || turn.signal.aborted;
  } finally {
    draw.tidy(line);
    draw.heard();
    working(undefined);
    draw.cardsLast();
  }
}

async function trouble(error: unknown): Promise<void> {
  if (error instanceof Refused) {
    if (error.status === 401) return needSession(error);
    if (error.status === 404) wire.setTalk(undefined);
    draw.notice(error.status === 429 ? 'warn' : 'bad', error.message, error.next);
  } else if (error instanceof DOMException && error.name === 'AbortError') draw.notice('warn', 'Stopped.');
  else await reconnect();
}

function needSession(error: Refused): void {
  wire.endSession();
  wire.tellHost('session-needed');
  draw.notice('warn', error.message, error.next);
}

let attempts = 0;

async function reconnect(): Promise<void> {
  say(LOST);
  attempts += 1;
  await new Promise((resolve) => setTimeout(resolve, Math.min(8000, 500 * 2 ** attempts)));
  await load();
}

// ---- what the person does
async function talk(text: string): Promise<void> {
  if (busy || text.trim() === '') return;
  words.value = '';
  grow();
  say('');
  const mine = draw.person(text.trim());
  draw.follow(true);
  working(new AbortController());
  try {
    if (wire.currentTalk() === undefined) {
      const opened: { id: string } = await (await ask('POST', '', {})).json();
      wire.setTalk(opened.id);
    }
    if (!(await follows('/messages', { text }))) await reconnect();
  } catch (error) {
    working(undefined);
    // Not taken: the words go back to where they came from.
    if (error instanceof Refused && error.status !== 400) {
      mine.remove();
      if (words.value === '') words.value = text;
      grow();
    }
    await trouble(error);
  }
}

async function decide(proposal: Shown, given: Answer): Promise<void> {
  if (busy) return;
  say('');
  draw.settle(proposal.id, true);
  // The card goes; the focus must not go with it, nor a phone's keyboard come up.
  (matchMedia('(pointer: fine)').matches ? words : draw.main).focus({ preventScroll: true });
  try {
    if (!(await follows(`/proposals/${encodeURIComponent(proposal.id)}`, given))) await reconnect();
  } catch (error) {
    draw.settle(proposal.id, false);
    await trouble(error);
    // Somebody else was faster, or it is over: what is true is stored.
    if (error instanceof Refused && error.code === 'conflict') await load();
  }
}

// ---- what is stored
async function stored(): Promise<Stored> {
  return (await ask('GET', `/${wire.currentTalk()}`)).json();
}

function show(state: Stored): void {
  wire.setClock(state.now);
  draw.clear();
  const before = document.activeElement;
  for (const [at, entry] of state.entries.entries())
    if (entry.kind === 'person') draw.person(entry.text);
    else if (entry.kind === 'bot') draw.bot(entry.text.trim());
    else if (entry.kind === 'step') draw.step({ ...entry, id: `stored ${at}` });
    else draw.receipt(entry.receipt);
  draw.hush();
  for (const proposal of state.proposals) if (proposal.state === 'pending') draw.card(proposal, decide);
  if (state.isBusy) draw.thinking(true);
  if (state.proposals.length === 0 && before instanceof HTMLElement) before.focus();
  draw.follow(true);
}

async function load(): Promise<void> {
  if (wire.currentTalk() === undefined) return;
  try {
    const state = await stored();
    attempts = 0;
    say('');
    show(state);
    await goOn(state);
  } catch (error) {
    if (!(error instanceof Refused)) return reconnect();
    if (error.status !== 404) return trouble(error);
    wire.setTalk(undefined);
    draw.clear();
    find('[data-hello]').hidden = false;
  }
}

/** A colleague decided, or another window's turn is over. */
async function goOn(state: Stored): Promise<void> {
  if (!state.canResume || state.isBusy) return;
  if (!(await follows('/resume', {}))) await reconnect();
}

const LOOK_EVERY_MS = 3000;
setInterval(() => {
  for (const time of log.querySelectorAll<HTMLElement>('[data-until]')) {
    const ms = Date.parse(time.dataset.until ?? '') - clock();
    time.textContent = left(ms);
    time.classList.toggle('soon', ms < 60_000);
  }
}, 1000);

let isLooking = false;

async function look(): Promise<void> {
  const waits = log.querySelector('[data-card], [data-thinking]') !== null;
  if (busy || isLooking || document.hidden || !waits || wire.currentTalk() === undefined) return;
  isLooking = true;
  try {
    const state = await stored();
    say('');
    const open = state.proposals.filter((proposal) => proposal.state === 'pending').map(({ id }) => id);
    const drawn = Array.from(log.querySelectorAll<HTMLElement>('[data-card]'), (node) => node.dataset.card);
    const isSame = open.join() === drawn.join() && state.isBusy === (log.querySelector('[data-thinking]') !== null);
    if (busy || isSame) return;
    show(state);
    await goOn(state);
  } catch (error) {
    if (!(error instanceof Refused)) say(LOST);
    else if (error.code !== 'conflict') await trouble(error);
  } finally {
    isLooking = false;
  }
}
setInterval(look, LOOK_EVERY_MS);

// ---- the composer
function grow(): void {
  words.style.height = 'auto';
  words.style.height = `${Math.min(words.scrollHeight + 2, 144)}px`;
  send.setAttribute('aria-disabled', String(words.value.trim() === ''));
}
words.addEventListener('input', grow);
words.addEventListener('keydown', (event) => {
  // Not while an input method still composes a character.
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  void talk(words.value);
});
find('[data-composer]').addEventListener('submit', (event) => {
  event.preventDefault();
  void talk(words.value);
});
stop.addEventListener('click', () => busy?.abort());
addEventListener('keydown', (event) => {
  if (event.key === 'Escape') busy?.abort();
});
for (const starter of document.querySelectorAll('[data-starter]'))
  starter.addEventListener('click', () => void talk(starter.textContent ?? ''));
find('[data-new]').addEventListener('click', () => {
  wire.setTalk(undefined);
  location.reload();
});

addEventListener('message', ({ source, origin, data }: MessageEvent<{ type?: unknown; session?: unknown } | null>) => {
  if (source !== parent || !wire.ORIGINS.includes(origin) || data?.type !== 'gatehouse:session') return;
  const isOther = wire.currentSession() !== data.session;
  wire.takeSession(data.session);
  if (isOther && !busy) void load();
});

grow();
wire.tellHost('ready');
if (wire.currentSession() === undefined && !wire.isAnonymous) {
  wire.tellHost('session-needed');
  say('This chat opens from the site that it belongs to.');
}
await load();
