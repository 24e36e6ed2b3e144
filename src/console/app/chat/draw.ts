import type { Receipt } from '../../../chat/events.ts';
import type { ProposalView } from '../../../domain/proposal.ts';
import { clock } from './wire.ts';

/**
 * How the chat draws. Text nodes only: words of a model or of a record are never read as markup. No name of the page is
 * taken from what came over the wire.
 */

/** What a card may say: a visitor of a public bot is told less (`chat-shown`). */
export type Shown = Pick<ProposalView, 'id' | 'state' | 'action' | 'assurance' | 'summary' | 'expiresAt'> &
  Partial<ProposalView>;
export type Answer = { readonly answer: 'approve' | 'reject'; readonly choice?: string };

type Child = Node | string | false | null | undefined | readonly Child[];
type Props = Readonly<Record<string, string | boolean | undefined>> & { readonly onclick?: never };

/** The page is made with these in it (`chat-page.ts`). */
export function find<E extends HTMLElement = HTMLElement>(selector: string): E {
  const found = document.querySelector<E>(selector);
  if (found === null) throw new Error(`The page has no ${selector}.`);
  return found;
}

export const log = find('[data-log]');
export const main = find('#main');

function el<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  props: Props = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props))
    if (value !== undefined && value !== false) node.setAttribute(name, value === true ? '' : value);
  append(node, children);
  return node;
}

function append(node: HTMLElement, children: readonly Child[]): void {
  for (const child of children)
    if (typeof child === 'string' || child instanceof Node) node.append(child);
    else if (child) append(node, child);
}

// Follows the talk unless the reader scrolled up to read.
let isFollowing = true;
main.addEventListener(
  'scroll',
  () => {
    isFollowing = main.scrollHeight - main.scrollTop - main.clientHeight < 80;
  },
  { passive: true },
);

export function follow(always = false): void {
  if (isFollowing || always) main.scrollTop = main.scrollHeight;
}

function put(kind: string, ...children: readonly Child[]): HTMLLIElement {
  find('[data-hello]').hidden = true;
  find('[data-new]').hidden = false;
  const item = el('li', { class: kind }, ...children);
  log.append(item);
  follow();
  return item;
}

// Heard by whole sentences: a live region that grows by syllables cannot be listened to.
const aloud = find('[data-aloud]');
let unheard = '';

function announce(text: string): void {
  if (text.trim() === '') return;
  if (aloud.childNodes.length > 20) aloud.firstChild?.remove();
  aloud.append(el('p', {}, text));
}

export function hear(delta: string): void {
  unheard += delta;
  const end = Math.max(...['. ', '? ', '! ', '\n'].map((mark) => unheard.lastIndexOf(mark)));
  if (end < 0) return;
  announce(unheard.slice(0, end + 1));
  unheard = unheard.slice(end + 1);
}

export function heard(): void {
  announce(unheard);
  unheard = '';
}

export function hush(): void {
  aloud.replaceChildren();
}

const hidden = (text: string) => el('span', { class: 'hidden' }, text);

export const person = (text: string) => put('person', hidden('You: '), text);

/** The line that the bot's words go on in. */
export function bot(text: string): Text {
  const line = document.createTextNode(text);
  put('bot', hidden('Bot: '), line);
  return line;
}

/** Models end with blank lines that a page has no use for. */
export function tidy(line: Text | undefined): void {
  if (line !== undefined) line.data = line.data.trim();
}

export function notice(kind: 'warn' | 'bad', title: string, next?: string): void {
  const last = log.lastElementChild;
  if (last?.querySelector('.notice > strong')?.textContent === title) last.remove();
  const role = kind === 'bad' ? 'alert' : 'status';
  put('', el('div', { class: `notice ${kind}`, role }, el('strong', {}, title), next && el('div', {}, next)));
}

const steps = new Map<string, HTMLElement>();

export function step({ id, words, phase }: { id: string; words: string; phase: 'started' | 'done' | 'failed' }): void {
  const known = steps.get(id);
  const line = known?.isConnected ? known : el('div');
  if (line !== known) put('', line);
  line.className = `step ${phase}`;
  line.textContent = words;
  steps.set(id, line);
}

export function clear(): void {
  log.replaceChildren();
  steps.clear();
}

export function thinking(isOn: boolean): void {
  log.querySelector('[data-thinking]')?.remove();
  if (!isOn) return;
  const dots = el('div', { class: 'thinking', role: 'img', 'aria-label': 'Working' }, el('i'), el('i'), el('i'));
  put('', dots).setAttribute('data-thinking', '');
}

const numbers = new Intl.NumberFormat('en', { useGrouping: 'min2', maximumFractionDigits: 20 });

function shown(value: unknown): string | undefined {
  if (value === null || value === undefined || value === '') return undefined;
  if (typeof value === 'boolean') return value ? 'Yes' : 'No';
  if (typeof value === 'number') return numbers.format(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function shownValue(kind: string, value: unknown): HTMLElement {
  const text = shown(value);
  return el('span', { class: text === undefined ? `${kind} empty` : kind, dir: 'auto' }, text ?? 'empty');
}

const spaced = (name: string) =>
  name
    .replace(/__c$/, '')
    .replaceAll('_', ' ')
    .replace(/([a-z])([A-Z])/g, '$1 $2');

type Changes = readonly { field: string; label?: string | undefined; before?: unknown; after?: unknown }[];

function changes(list: Changes): Child {
  if (list.length === 0) return undefined;
  const isNew = list.every(({ before }) => shown(before) === undefined);
  return el(
    'dl',
    { class: isNew ? 'changes new' : 'changes' },
    list.map(({ field, label, before, after }) =>
      el(
        'div',
        {},
        el('dt', {}, el('bdi', {}, label ?? spaced(field))),
        el(
          'dd',
          {},
          shown(before) !== undefined && [
            hidden('from '),
            shownValue('was', before),
            el('span', { class: 'arrow', 'aria-hidden': 'true' }, '→'),
            hidden(' to '),
          ],
          shownValue('becomes', after),
        ),
      ),
    ),
  );
}

/** Only web addresses become links, and the simulated org has none. */
function link(url: string | undefined, text: string): HTMLElement | undefined {
  const at = url !== undefined && URL.canParse(url) ? new URL(url) : undefined;
  if (at === undefined || !['https:', 'http:'].includes(at.protocol) || at.hostname === 'sim.localhost')
    return undefined;
  return el('a', { href: at.href, target: '_blank', rel: 'noreferrer' }, el('bdi', {}, text));
}

const cardOf = (id: string) => log.querySelector<HTMLElement>(`[data-card="${CSS.escape(id)}"]`);

/** A card and a receipt say all that the step before them said. */
function replacesStep(): void {
  thinking(false);
  const last = log.lastElementChild;
  if (last?.querySelector('.step:not(.started)')) last.remove();
}

/** What is still to be decided stays below what was said since. */
export function cardsLast(): void {
  for (const node of log.querySelectorAll('li:has([data-card])'))
    if (node.nextElementSibling && !node.contains(document.activeElement)) log.append(node);
  follow();
}

const OUTCOMES: ReadonlyMap<string, string> = new Map([
  ['done', 'good'],
  ['failed', 'bad'],
  ['expired', 'warn'],
  ['conflict', 'warn'],
  ['unknown', 'warn'],
  ['waiting', 'warn'],
]);

export function receipt({ title, status, words, record, changes: list, proposal }: Receipt): void {
  if (proposal !== undefined) cardOf(proposal)?.closest('li')?.remove();
  replacesStep();
  const name = record?.name ?? record?.id ?? '';
  const isInternal = document.body.dataset.internal !== undefined;
  put(
    '',
    el(
      'div',
      { class: `receipt ${OUTCOMES.get(status) ?? ''}` },
      el('p', {}, el('strong', {}, title), ' ', el('bdi', {}, words)),
      changes(list),
      record !== undefined && isInternal && el('p', { class: 'note' }, link(record.url, name) ?? el('bdi', {}, name)),
    ),
  );
  announce(`${title}: ${words}`);
}

export function left(ms: number): string {
  const s = Math.max(0, Math.ceil(ms / 1000));
  if (s === 0) return 'time is up';
  if (s < 60) return `${s} s left`;
  return s < 7200 ? `${Math.floor(s / 60)} min left` : `${Math.floor(s / 3600)} h left`;
}

const WAITS = 'A colleague decides this. You can stay here: the answer appears by itself.';

export function card(proposal: Shown, answer: (proposal: Shown, given: Answer) => void): void {
  cardOf(proposal.id)?.closest('li')?.remove();
  replacesStep();
  const mine = proposal.assurance === 'client';
  const title = el('h2', { id: `card-${proposal.id}`, tabindex: '-1' }, el('bdi', {}, proposal.summary));
  const button = (kind: string, words: Child, given: Answer) => {
    const node = el('button', { type: 'button', class: kind }, words);
    node.addEventListener('click', () => answer(proposal, given));
    return node;
  };
  const { choices = [], reasons = [], warnings = [] } = proposal;
  const query = proposal.query?.send;
  const node = el(
    'section',
    { class: 'card ask', role: 'group', 'aria-labelledby': title.id, 'data-card': proposal.id },
    el(
      'p',
      { class: 'eyebrow' },
      el('span', { class: mine ? 'badge accent' : 'badge warn' }, mine ? 'Needs your yes' : 'Waits for a colleague'),
      el('span', { class: 'left', 'data-until': proposal.expiresAt }, left(Date.parse(proposal.expiresAt) - clock())),
    ),
    title,
    changes(proposal.changes ?? []),
    query !== undefined &&
      el('pre', { class: 'query', tabindex: '0', role: 'group', 'aria-label': 'Query text' }, query),
    warnings.map((words) => el('p', { class: 'notice warn' }, el('bdi', {}, words))),
    reasons.length > 0 &&
      el(
        'ul',
        { class: 'why', 'aria-label': 'Why you are asked' },
        reasons.map((words) => el('li', {}, el('bdi', {}, words))),
      ),
    mine &&
      choices.length > 0 &&
      el(
        'div',
        { class: 'options', role: 'group', 'aria-label': 'Choose what to do' },
        choices.map(({ id, label }) => button('', el('bdi', {}, label), { answer: 'approve', choice: id })),
      ),
    mine &&
      el(
        'div',
        { class: 'actions' },
        choices.length === 0 && button('primary', 'Approve', { answer: 'approve' }),
        button('danger', 'Decline', { answer: 'reject' }),
      ),
    !mine && el('p', { class: 'note' }, WAITS),
    el(
      'p',
      { class: 'note links' },
      link(proposal.target?.url, 'Look at the record'),
      !mine && link(proposal.link, 'Open it as an approver'),
    ),
  );
  put('', node);
  announce((mine ? 'Needs your yes: ' : 'Waits for a colleague: ') + proposal.summary);
  // On the card's title, not on a button: a key still on its way down must not decide.
  if (mine && find<HTMLTextAreaElement>('[data-words]').value === '') title.focus({ preventScroll: true });
  if (node.offsetHeight < main.clientHeight) follow(true);
  // Read from its beginning, not from its buttons.
  else node.scrollIntoView({ block: 'start' });
}

/** Greys a card while its answer is on the way. */
export function settle(id: string, isSettled: boolean): void {
  cardOf(id)?.classList.toggle('settled', isSettled);
}
