/** The pages work without it: it fills in the sign-in token, ticks, shows local times and notices what others decided. */
export const script = `
// Asks anew, also where the page answered a form: a reload would offer to send that form once more.
const again = () => location.replace(location.pathname + location.search);
const $$ = (selector) => Array.from(document.querySelectorAll(selector));

// The token travels in the fragment, which browsers send to nobody; it leaves the address bar at once.
const token = location.hash.slice(1).replace(/^token=/, '');
const field = document.querySelector('[data-token]');
if (field && token) {
  field.value = token;
  history.replaceState(null, '', location.pathname + location.search);
  document.body.dataset.token = 'given';
  document.querySelector('[data-sign-in]').focus();
}

for (const time of $$('time[data-local]'))
  time.textContent = new Date(time.dateTime).toLocaleString('en', { dateStyle: 'medium', timeStyle: 'short' });

// The server's clock counts: the reader's own may be wrong.
const words = (ms) => {
  const s = Math.max(0, Math.ceil(ms / 1000));
  if (s === 0) return 'time is up';
  if (s < 60) return s + ' s left';
  const m = Math.floor(s / 60);
  if (m >= 2880) return Math.floor(m / 1440) + ' days left';
  return m < 60 ? m + ' min ' + String(s % 60).padStart(2, '0') + ' s left' : Math.floor(m / 60) + ' h ' + (m % 60) + ' min left';
};
const opened = performance.now();
const tick = () => {
  let over = false;
  for (const left of $$('[data-until]')) {
    const ms = Date.parse(left.dataset.until) - Date.parse(left.dataset.now) - (performance.now() - opened);
    left.textContent = words(ms);
    left.classList.toggle('soon', ms < 60000);
    over ||= ms < -1500 && left.hasAttribute('data-reload');
  }
  if (over) again();
};
if ($$('[data-until]').length > 0) setInterval(tick, 1000);

// One press is one answer; the server would refuse a second anyway.
for (const form of $$('form'))
  form.addEventListener('submit', (event) => {
    if (form.getAttribute('aria-busy') === 'true') return event.preventDefault();
    form.setAttribute('aria-busy', 'true');
    if (event.submitter?.dataset.busy) event.submitter.textContent = event.submitter.dataset.busy;
  });
addEventListener('pageshow', () => { for (const form of $$('form')) form.removeAttribute('aria-busy'); });

// Somebody else may decide while this page is open.
const watch = async (path, read, every) => {
  const look = async () => {
    const answer = await fetch(path, { headers: { accept: 'application/json' } });
    return answer.ok ? read(await answer.json()) : undefined;
  };
  let seen = await look();
  setInterval(async () => {
    if (document.hidden || document.querySelector('form[aria-busy="true"]')) return;
    const now = await look().catch(() => undefined);
    if (now !== undefined && seen !== undefined && now !== seen) again();
    seen = now ?? seen;
  }, every);
};
const one = document.querySelector('[data-watch-proposal]')?.dataset.watchProposal;
if (one) watch('/api/proposals/' + encodeURIComponent(one), (body) => body.detail?.state, 3000);
if (document.querySelector('[data-watch-queue]'))
  watch('/api/proposals', (body) => body.proposals.map((p) => p.id).join(), 5000);
`;
