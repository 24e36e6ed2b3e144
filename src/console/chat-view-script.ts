/**
 * How the chat draws. Text nodes only: words of a model or of a record are never read as markup. No name of the page is
 * taken from what came over the wire.
 */
export const chatViewScript = String.raw`
const $ = (selector) => document.querySelector(selector);
const log = $('[data-log]');
const main = $('#main');

const el = (tag, props, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {}))
    if (name === 'onclick') node.addEventListener('click', value);
    else if (value !== undefined && value !== false) node.setAttribute(name, value === true ? '' : value);
  node.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
  return node;
};

// Follows the talk unless the reader scrolled up to read.
let isFollowing = true;
main.addEventListener('scroll', () => { isFollowing = main.scrollHeight - main.scrollTop - main.clientHeight < 80; }, { passive: true });
const follow = (always) => { if (isFollowing || always) main.scrollTop = main.scrollHeight; };

const put = (kind, ...children) => {
  $('[data-hello]').hidden = true;
  $('[data-new]').hidden = false;
  const item = el('li', { class: kind }, ...children);
  log.append(item);
  follow();
  return item;
};

// Heard by whole sentences: a live region that grows by syllables cannot be listened to.
const aloud = $('[data-aloud]');
let unheard = '';
const announce = (text) => {
  if (text.trim() === '') return;
  if (aloud.childNodes.length > 20) aloud.firstChild.remove();
  aloud.append(el('p', {}, text));
};
const hear = (delta) => {
  unheard += delta;
  const end = Math.max(unheard.lastIndexOf('. '), unheard.lastIndexOf('? '), unheard.lastIndexOf('! '), unheard.lastIndexOf('\n'));
  if (end < 0) return;
  announce(unheard.slice(0, end + 1));
  unheard = unheard.slice(end + 1);
};
const heard = () => { announce(unheard); unheard = ''; };

const hidden = (text) => el('span', { class: 'hidden' }, text);
const person = (text) => put('person', hidden('You: '), text);
const bot = (text) => put('bot', hidden('Bot: '), document.createTextNode(text));
/** Models end with blank lines that a page has no use for. */
const tidy = (line) => { if (line) line.lastChild.data = line.lastChild.data.trim(); };
const notice = (kind, title, next) => {
  const last = log.lastElementChild;
  if (last?.querySelector('.notice > strong')?.textContent === title) last.remove();
  put('', el('div', { class: 'notice ' + kind, role: kind === 'bad' ? 'alert' : 'status' }, el('strong', {}, title), next && el('div', {}, next)));
};

const steps = new Map();
const step = ({ id, words, phase }) => {
  const known = steps.get(id);
  const item = known?.isConnected ? known : put('', el('div'));
  item.firstChild.className = 'step ' + phase;
  item.firstChild.textContent = words;
  steps.set(id, item);
};

const thinking = (isOn) => {
  log.querySelector('[data-thinking]')?.remove();
  if (!isOn) return;
  const dots = el('div', { class: 'thinking', role: 'img', 'aria-label': 'Working' }, el('i'), el('i'), el('i'));
  put('', dots).setAttribute('data-thinking', '');
};

const numbers = new Intl.NumberFormat('en', { useGrouping: 'min2', maximumFractionDigits: 20 });
const shown = (value) => {
  if (value === null || value === undefined || value === '') return undefined;
  if (typeof value === 'boolean') return value ? 'Yes' : 'No';
  if (typeof value === 'number') return numbers.format(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
};
const valueOf = (kind, value) => el('span', { class: kind + (shown(value) === undefined ? ' empty' : ''), dir: 'auto' }, shown(value) ?? 'empty');
const spaced = (name) => name.replace(/__c$/, '').replaceAll('_', ' ').replace(/([a-z])([A-Z])/g, '$1 $2');
const changes = (list) => list.length === 0 ? undefined : el('dl', { class: 'changes' + (list.every(({ before }) => shown(before) === undefined) ? ' new' : '') }, list.map(({ field, label, before, after }) =>
  el('div', {}, el('dt', {}, el('bdi', {}, label ?? spaced(field))), el('dd', {},
    shown(before) === undefined ? undefined : [hidden('from '), valueOf('was', before), el('span', { class: 'arrow', 'aria-hidden': 'true' }, '→'), hidden(' to ')],
    valueOf('becomes', after)))));

// Only web addresses become links, and the simulated org has none.
const link = (url, text) => {
  const at = URL.canParse(url ?? '') ? new URL(url) : undefined;
  if (at === undefined || !['https:', 'http:'].includes(at.protocol) || at.hostname === 'sim.localhost') return undefined;
  return el('a', { href: at.href, target: '_blank', rel: 'noreferrer' }, el('bdi', {}, text));
};

/** A card and a receipt say all that the step before them said. */
const replacesStep = () => {
  thinking(false);
  const last = log.lastElementChild;
  if (last?.querySelector('.step:not(.started)')) last.remove();
};

/** What is still to be decided stays below what was said since. */
const cardsLast = () => {
  for (const node of log.querySelectorAll('li:has([data-card])'))
    if (node.nextElementSibling && !node.contains(document.activeElement)) log.append(node);
  follow();
};

const OUTCOMES = { done: 'good', failed: 'bad', declined: '', expired: 'warn', conflict: 'warn', unknown: 'warn', waiting: 'warn' };
const receipt = ({ title, status, words, record, changes: list, proposal }) => {
  log.querySelector('[data-card="' + CSS.escape(proposal ?? '') + '"]')?.closest('li').remove();
  replacesStep();
  put('', el('div', { class: 'receipt ' + (OUTCOMES[status] ?? '') },
    el('p', {}, el('strong', {}, title), ' ', el('bdi', {}, words)),
    changes(list),
    record && document.body.dataset.internal !== undefined && el('p', { class: 'note' }, link(record.url, record.name ?? record.id) ?? el('bdi', {}, record.name ?? record.id ?? ''))));
  announce(title + ': ' + words);
};

const left = (ms) => {
  const s = Math.max(0, Math.ceil(ms / 1000));
  if (s === 0) return 'time is up';
  if (s < 60) return s + ' s left';
  return s < 7200 ? Math.floor(s / 60) + ' min left' : Math.floor(s / 3600) + ' h left';
};

const WAITS = 'A colleague decides this. You can stay here: the answer appears by itself.';
const card = (proposal, answer) => {
  log.querySelector('[data-card="' + CSS.escape(proposal.id) + '"]')?.closest('li').remove();
  replacesStep();
  const mine = proposal.assurance === 'client';
  const title = el('h2', { id: 'card-' + proposal.id, tabindex: '-1' }, el('bdi', {}, proposal.summary));
  const button = (kind, words, given) => el('button', { type: 'button', class: kind, onclick: () => answer(proposal, given) }, words);
  const choices = proposal.choices ?? [];
  const node = el('section', { class: 'card ask', role: 'group', 'aria-labelledby': title.id, 'data-card': proposal.id },
    el('p', { class: 'eyebrow' },
      el('span', { class: 'badge ' + (mine ? 'accent' : 'warn') }, mine ? 'Needs your yes' : 'Waits for a colleague'),
      el('span', { class: 'left', 'data-until': proposal.expiresAt }, left(Date.parse(proposal.expiresAt) - clock()))),
    title,
    changes(proposal.changes ?? []),
    proposal.query && el('pre', { class: 'query', tabindex: '0', role: 'group', 'aria-label': 'Query text' }, proposal.query.send),
    (proposal.warnings ?? []).map((words) => el('p', { class: 'notice warn' }, el('bdi', {}, words))),
    (proposal.reasons ?? []).length > 0 && el('ul', { class: 'why', 'aria-label': 'Why you are asked' }, proposal.reasons.map((words) => el('li', {}, el('bdi', {}, words)))),
    mine && choices.length > 0 && el('div', { class: 'options', role: 'group', 'aria-label': 'Choose what to do' },
      choices.map(({ id, label }) => button('', el('bdi', {}, label), { answer: 'approve', choice: id }))),
    mine && el('div', { class: 'actions' },
      choices.length === 0 && button('primary', 'Approve', { answer: 'approve' }),
      button('danger', 'Decline', { answer: 'reject' })),
    !mine && el('p', { class: 'note' }, WAITS),
    el('p', { class: 'note links' },
      link(proposal.target?.url, 'Look at the record'),
      !mine && link(proposal.link, 'Open it as an approver')));
  put('', node);
  announce((mine ? 'Needs your yes: ' : 'Waits for a colleague: ') + proposal.summary);
  // On the card's title, not on a button: a key still on its way down must not decide.
  if (mine && $('[data-words]').value === '') title.focus({ preventScroll: true });
  if (node.offsetHeight < main.clientHeight) follow(true);
  // Read from its beginning, not from its buttons.
  else node.scrollIntoView({ block: 'start' });
};
`;
