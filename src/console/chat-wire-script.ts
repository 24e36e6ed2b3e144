/** Who the chat page speaks for, and how it reaches the server. The person's session is the only secret that it ever holds. */
export const chatWireScript = String.raw`
const { bot: BOT, origins, anonymous } = document.body.dataset;
const ORIGINS = JSON.parse(origins);
const base = '/api/bots/' + encodeURIComponent(BOT) + '/conversations';

// Storage of a frame may be switched off: then a reload begins anew. Which talk it was outlives the tab, for its own person
// alone may read it; the session, which proves who that is, does not.
const keep = (name, value) => {
  try {
    const storage = name === 'session' ? sessionStorage : localStorage;
    if (value === undefined) return storage.getItem('gatehouse ' + BOT + ' ' + name) ?? undefined;
    if (value === null) storage.removeItem('gatehouse ' + BOT + ' ' + name);
    else storage.setItem('gatehouse ' + BOT + ' ' + name, value);
  } catch {}
};

let conversation = keep('conversation');
let session = keep('session');
let offset = 0;
// The server's clock counts: the reader's own may be wrong.
const clock = () => Date.now() + offset;

const takeSession = (token) => {
  if (typeof token !== 'string' || !/^ghs_[\w.-]{1,8000}$/.test(token)) return;
  session = token;
  keep('session', token);
};
const inFragment = new URLSearchParams(location.hash.slice(1)).get('session');
if (inFragment) {
  takeSession(inFragment);
  history.replaceState(null, '', location.pathname + location.search);
}
// Without anything secret in it, so that it may go to whoever frames us; who that may be our policy says.
const tellHost = (type) => { if (parent !== window) parent.postMessage({ type: 'gatehouse:' + type, bot: BOT }, '*'); };

class Refused extends Error {
  constructor(status, error) {
    super(error.message);
    this.status = status;
    this.next = error.next;
    this.code = error.code;
    this.retryable = error.retryable;
  }
}

const ask = async (method, path, body, signal) => {
  const answer = await fetch(base + path, {
    method,
    signal,
    headers: {
      'gatehouse-chat': '1',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(session === undefined ? {} : { 'gatehouse-session': session }),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (answer.ok) return answer;
  const { error } = await answer.json().catch(() => ({ error: { message: 'The server did not answer as it should.', next: 'Try again in a moment.' } }));
  throw new Refused(answer.status, error);
};

/** A turn that was just stopped needs a moment to end. */
const insist = async (...call) => {
  for (let tries = 0; ; tries += 1)
    try {
      return await ask(...call);
    } catch (error) {
      if (error.status !== 409 || !error.retryable || tries === 4) throw error;
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
};

async function* eventsOf(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split('\n\n');
    rest = blocks.pop();
    for (const block of blocks) if (block.startsWith('data: ')) yield JSON.parse(block.slice(6));
  }
}
`;
