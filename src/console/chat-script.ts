import { chatViewScript } from './chat-view-script.ts';
import { chatWireScript } from './chat-wire-script.ts';

/**
 * The chat page. It knows the conversation's id and, where the host app signed one, the person's session; never a key. What it
 * shows after a lost connection, a reload or a restart of the server is what the server stored.
 */
export const chatScript = `
${chatWireScript}
${chatViewScript}
const words = $('[data-words]');
const send = $('[data-send]');
const stop = $('[data-stop]');
const say = (text) => { $('[data-status]').textContent = text; };

// ---- a turn
let busy;
const working = (turn) => {
  busy = turn;
  thinking(turn !== undefined);
  send.hidden = turn !== undefined;
  stop.hidden = turn === undefined;
  for (const button of log.querySelectorAll('[data-card] button')) button.disabled = turn !== undefined;
};

/** Runs the events of one turn; true when it came to its end. */
const follows = async (path, body) => {
  const turn = new AbortController();
  working(turn);
  let line;
  let isWhole = false;
  try {
    const answer = await insist('POST', '/' + conversation + path, body, turn.signal);
    for await (const event of eventsOf(answer)) {
      if (event.type !== 'text') {
        tidy(line);
        line = undefined;
      }
      if (event.type === 'text') {
        thinking(false);
        line ??= bot('');
        line.lastChild.appendData(event.delta);
        hear(event.delta);
      } else if (event.type === 'tool') {
        thinking(false);
        step(event);
        if (event.phase !== 'started') thinking(true);
      } else if (event.type === 'proposal') card(event.proposal, decide);
      else if (event.type === 'receipt') receipt(event.receipt);
      else if (event.type === 'error') notice('bad', event.error.message, event.error.next);
      else if (event.type === 'done') {
        isWhole = true;
        if (event.reason === 'stopped') notice('warn', 'Stopped.');
      }
      follow();
    }
    return isWhole || turn.signal.aborted;
  } finally {
    tidy(line);
    heard();
    working(undefined);
    cardsLast();
  }
};

const trouble = async (error) => {
  if (error instanceof Refused) {
    if (error.status === 401) return needSession(error);
    if (error.status === 404) forget();
    notice(error.status === 429 ? 'warn' : 'bad', error.message, error.next);
    return;
  }
  if (error?.name === 'AbortError') {
    notice('warn', 'Stopped.');
    return;
  }
  await reconnect();
};

const needSession = (error) => {
  keep('session', null);
  session = undefined;
  tellHost('session-needed');
  notice('warn', error.message, error.next);
};

let attempts = 0;
const reconnect = async () => {
  say('The connection was lost. Trying again…');
  attempts += 1;
  await new Promise((resolve) => setTimeout(resolve, Math.min(8000, 500 * 2 ** attempts)));
  await load();
};

// ---- what the person does
const talk = async (text) => {
  if (busy || text.trim() === '') return;
  words.value = '';
  grow();
  say('');
  const mine = person(text.trim());
  follow(true);
  working(new AbortController());
  try {
    if (conversation === undefined) {
      conversation = (await (await ask('POST', '', {})).json()).id;
      keep('conversation', conversation);
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
};

const decide = async (proposal, given) => {
  if (busy) return;
  say('');
  const node = log.querySelector('[data-card="' + CSS.escape(proposal.id) + '"]');
  node?.classList.add('settled');
  // The card goes; the focus must not go with it, nor a phone's keyboard come up.
  (matchMedia('(pointer: fine)').matches ? words : main).focus({ preventScroll: true });
  try {
    if (!(await follows('/proposals/' + encodeURIComponent(proposal.id), given))) await reconnect();
  } catch (error) {
    node?.classList.remove('settled');
    await trouble(error);
    // Somebody else was faster, or it is over: what is true is stored.
    if (error instanceof Refused && error.code === 'conflict') await load();
  }
};

const forget = () => {
  conversation = undefined;
  keep('conversation', null);
};

// ---- what is stored
const draw = (state) => {
  offset = Date.parse(state.now) - Date.now();
  log.replaceChildren();
  steps.clear();
  const before = document.activeElement;
  for (const [at, entry] of state.entries.entries())
    if (entry.kind === 'person') person(entry.text);
    else if (entry.kind === 'bot') bot(entry.text.trim());
    else if (entry.kind === 'step') step({ ...entry, id: 'stored ' + at });
    else receipt(entry.receipt);
  aloud.replaceChildren();
  for (const proposal of state.proposals) if (proposal.state === 'pending') card(proposal, decide);
  if (state.isBusy) thinking(true);
  if (state.proposals.length === 0) before?.focus?.();
  follow(true);
};

const load = async () => {
  if (conversation === undefined) return;
  try {
    const state = await (await ask('GET', '/' + conversation)).json();
    attempts = 0;
    say('');
    draw(state);
    await goOn(state);
  } catch (error) {
    if (!(error instanceof Refused)) return reconnect();
    if (error.status === 404) {
      forget();
      log.replaceChildren();
      $('[data-hello]').hidden = false;
    } else await trouble(error);
  }
};

/** A colleague decided, or another window's turn is over. */
const goOn = async (state) => {
  if (!state.canResume || state.isBusy) return;
  if (!(await follows('/resume', {}))) await reconnect();
};

const LOOK_EVERY_MS = 3000;
setInterval(async () => {
  for (const time of log.querySelectorAll('[data-until]')) {
    const ms = Date.parse(time.dataset.until) - clock();
    time.textContent = left(ms);
    time.classList.toggle('soon', ms < 60000);
  }
}, 1000);
let isLooking = false;
setInterval(async () => {
  const waits = log.querySelector('[data-card], [data-thinking]');
  if (busy || isLooking || document.hidden || !waits || conversation === undefined) return;
  isLooking = true;
  try {
    const state = await (await ask('GET', '/' + conversation)).json();
    say('');
    const open = state.proposals.filter((proposal) => proposal.state === 'pending').map(({ id }) => id);
    const drawn = Array.from(log.querySelectorAll('[data-card]'), (node) => node.dataset.card);
    const isSame = open.join() === drawn.join() && state.isBusy === (log.querySelector('[data-thinking]') !== null);
    if (busy || isSame) return;
    draw(state);
    await goOn(state);
  } catch (error) {
    if (!(error instanceof Refused)) say('The connection was lost. Trying again…');
    else if (error.code !== 'conflict') await trouble(error);
  } finally {
    isLooking = false;
  }
}, LOOK_EVERY_MS);

// ---- the composer
const grow = () => {
  words.style.height = 'auto';
  words.style.height = Math.min(words.scrollHeight + 2, 144) + 'px';
  send.setAttribute('aria-disabled', String(words.value.trim() === ''));
};
words.addEventListener('input', grow);
words.addEventListener('keydown', (event) => {
  // Not while an input method still composes a character.
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  talk(words.value);
});
$('[data-composer]').addEventListener('submit', (event) => {
  event.preventDefault();
  talk(words.value);
});
stop.addEventListener('click', () => busy?.abort());
addEventListener('keydown', (event) => { if (event.key === 'Escape') busy?.abort(); });
for (const starter of document.querySelectorAll('[data-starter]'))
  starter.addEventListener('click', () => talk(starter.textContent));
$('[data-new]').addEventListener('click', () => {
  forget();
  location.reload();
});

addEventListener('message', ({ source, origin, data }) => {
  if (source !== parent || !ORIGINS.includes(origin) || data?.type !== 'gatehouse:session') return;
  const isOther = session !== data.session;
  takeSession(data.session);
  if (isOther && !busy) load();
});

grow();
tellHost('ready');
if (session === undefined && anonymous === undefined) {
  tellHost('session-needed');
  say('This chat opens from the site that it belongs to.');
}
await load();
`;
