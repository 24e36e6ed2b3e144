/** The server's own pages work without it: it fills in the sign-in token, ticks, shows local times and notices what others decided. */

/** Asks anew, also where the page answered a form: a reload would offer to send that form once more. */
const again = () => location.replace(location.pathname + location.search);
const all = <E extends HTMLElement>(selector: string) => Array.from(document.querySelectorAll<E>(selector));

// The token travels in the fragment, which browsers send to nobody; it leaves the address bar at once.
const token = location.hash.slice(1).replace(/^token=/, '');
const field = document.querySelector<HTMLInputElement>('[data-token]');
if (field !== null && token !== '') {
  field.value = token;
  history.replaceState(null, '', location.pathname + location.search);
  document.body.dataset.token = 'given';
  document.querySelector<HTMLElement>('[data-sign-in]')?.focus();
}

for (const time of all<HTMLTimeElement>('time[data-local]'))
  time.textContent = new Date(time.dateTime).toLocaleString('en', { dateStyle: 'medium', timeStyle: 'short' });

function words(ms: number): string {
  const s = Math.max(0, Math.ceil(ms / 1000));
  if (s === 0) return 'time is up';
  if (s < 60) return `${s} s left`;
  const m = Math.floor(s / 60);
  if (m >= 2880) return `${Math.floor(m / 1440)} days left`;
  const minutes = (m % 60).toString();
  return m < 60 ? `${m} min ${String(s % 60).padStart(2, '0')} s left` : `${Math.floor(m / 60)} h ${minutes} min left`;
}

const opened = performance.now();

/** The server's clock counts: the reader's own may be wrong. */
function tick(): void {
  let isOver = false;
  for (const left of all('[data-until]')) {
    const { until = '', now = '' } = left.dataset;
    const ms = Date.parse(until) - Date.parse(now) - (performance.now() - opened);
    left.textContent = words(ms);
    left.classList.toggle('soon', ms < 60_000);
    isOver ||= ms < -1500 && left.hasAttribute('data-reload');
  }
  if (isOver && !isTyped()) again();
}
if (all('[data-until]').length > 0) setInterval(tick, 1000);

// One press is one answer; the server would refuse a second anyway.
for (const form of all<HTMLFormElement>('form'))
  form.addEventListener('submit', (event) => {
    const { submitter } = event;
    const isSure = form.dataset.sure !== undefined;
    delete form.dataset.sure;
    if (!isSure && form.getAttribute('aria-busy') === 'true') return event.preventDefault();
    form.setAttribute('aria-busy', 'true');
    if (!isSure && form.dataset.needs !== undefined) {
      event.preventDefault();
      void makeSure(form, submitter);
      return;
    }
    const busy = submitter?.dataset.busy;
    if (busy !== undefined && submitter !== null) submitter.textContent = busy;
  });

/** An answer that would be refused is not sent: the page that tells of it would have nothing of what was typed. */
async function makeSure(form: HTMLFormElement, submitter: HTMLElement | null): Promise<void> {
  const answer = await fetch('/api/session', { headers: { accept: 'application/json' } }).catch(() => undefined);
  const session: { csrf?: string; permissions?: string[]; operator?: { role: string } } = answer?.ok
    ? await answer.json()
    : {};
  const problem =
    answer === undefined || answer.status >= 500
      ? 'The server cannot be reached. Press again in a moment.'
      : session.csrf === undefined
        ? 'Your session is over. Sign in again in another tab, then press again here.'
        : session.permissions?.includes(form.dataset.needs ?? '') === true
          ? undefined
          : `Your role is ${session.operator?.role} now, which may look but not decide.`;
  if (problem !== undefined) {
    form.removeAttribute('aria-busy');
    return sayAbove(`${problem} Nothing was sent, and what you typed is still here.`);
  }
  // Somebody may have signed in anew since this page was drawn.
  const csrf = form.elements.namedItem('csrf');
  if (csrf instanceof HTMLInputElement) csrf.value = session.csrf ?? '';
  form.dataset.sure = '';
  form.requestSubmit(submitter);
}
addEventListener('pageshow', () => {
  for (const form of all('form')) form.removeAttribute('aria-busy');
});

/** Somebody else may decide while this page is open. What was typed here is not thrown away by that. */
const one = document.querySelector<HTMLElement>('[data-watch-proposal]')?.dataset.watchProposal;
if (one !== undefined) {
  const look = async (): Promise<string | undefined> => {
    const answer = await fetch(`/api/proposals/${encodeURIComponent(one)}`, {
      headers: { accept: 'application/json' },
    });
    const body: { detail?: { state: string } } = answer.ok ? await answer.json() : {};
    return body.detail?.state;
  };
  const seen = document.querySelector<HTMLElement>('[data-watch-proposal]')?.dataset.state;
  const timer = setInterval(async () => {
    if (document.hidden || document.querySelector('form[aria-busy="true"]')) return;
    const state = await look().catch(() => undefined);
    if (state === undefined || state === seen) return;
    clearInterval(timer);
    const at = `${location.pathname}?watched`;
    if (isTyped()) sayDecided(at);
    else location.replace(at);
  }, 3000);
}

function isTyped(): boolean {
  return all<HTMLInputElement | HTMLTextAreaElement>('main input, main textarea').some(
    (field) => field.value !== field.defaultValue,
  );
}

function sayDecided(at: string): void {
  const link = document.createElement('a');
  link.href = at;
  link.textContent = 'See how it ended';
  sayAbove('This was decided while you looked. What you typed was not sent. ', link);
  for (const button of all<HTMLButtonElement>('main form button')) button.disabled = true;
}

/** One note at a time, above everything, where the reader then is. */
function sayAbove(...words: (string | Node)[]): void {
  document.querySelector('[data-said]')?.remove();
  const note = document.createElement('div');
  note.className = 'notice warn';
  note.dataset.said = '';
  note.setAttribute('role', 'alert');
  note.append(...words);
  document.querySelector('main')?.prepend(note);
  note.scrollIntoView({ block: 'center' });
}
