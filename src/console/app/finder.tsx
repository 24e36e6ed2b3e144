import { Keyboard, Search } from 'lucide-preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import { api, said } from './api.ts';
import { areKeysOn, keyOf, setKeys } from './keys.ts';
import { useAct } from './parts/act.tsx';
import { Dialog } from './parts/dialog.tsx';
import { Empty, Problem } from './parts/states.tsx';
import { Text } from './parts/text.tsx';
import { Moment } from './parts/time.tsx';
import { useMay } from './session.ts';

type Found = Awaited<ReturnType<typeof search>>;
type Hit = Found['hits'][number];
const search = (q: string) => said(api.POST('/api/search', { body: { q } }));

/** What is no record: pages, by the words for which somebody would look. */
const PAGES: readonly (readonly [href: string, label: string, words: string])[] = [
  ['/settings', 'Settings', 'install version store secret address model'],
  ['/settings/apps', 'Connected apps', 'mcp claude chatgpt oauth program sign-in'],
  ['/settings/operators', 'Operators and their keys', 'people role admin approver viewer sign-in link'],
  ['/settings/notices', 'Notices', 'webhook slack teams alert'],
  ['/permissions', 'Permissions', 'grant policy threshold kill switch profile off'],
  ['/approvals', 'Approvals', 'proposal decide waits'],
  ['/sync', 'Sync', 'mapping batch links conflict problems'],
  ['/log', 'Log', 'audit undo verify chain export'],
  ['/charts', 'Charts', 'calls refusals api use budget'],
  ['/playground', 'Playground', 'try chat dry run'],
  ['/bots/new', 'New bot', 'make create'],
];

/** One field for everything, over whatever page is open: nothing that was typed there is lost. */
export function Finder() {
  /** Numbered: the end of one that is closing must not end the next, which a quick hand has opened already. */
  const [opened, setOpened] = useState<{ readonly what: 'find' | 'keys'; readonly number: number }>();
  const open = (what: 'find' | 'keys') => setOpened((before) => ({ what, number: (before?.number ?? 0) + 1 }));
  // With the frame itself: a key that is pressed as soon as the page shows is heard.
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const to = ({ '/': 'find', '?': 'keys' } as const)[keyOf(event) ?? ''];
      if (to === undefined) return;
      event.preventDefault();
      open(to);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  const close = () => setOpened((now) => (now?.number === opened?.number ? undefined : now));
  return (
    <div class="finder">
      <button type="button" class="quiet" aria-haspopup="dialog" aria-keyshortcuts="/" onClick={() => open('find')}>
        <Search size={18} aria-hidden="true" />
        <span>Find</span>
        <span class="key" aria-hidden="true">
          /
        </span>
      </button>
      {opened?.what === 'find' && <Find key={opened.number} close={close} toKeys={() => open('keys')} />}
      {opened?.what === 'keys' && <Keys key={opened.number} close={close} />}
    </div>
  );
}

function Find({ close, toKeys }: { readonly close: () => void; readonly toKeys: () => void }) {
  const whyNoValues = useMay('READ_VALUES');
  const [q, setQ] = useState('');
  const [found, setFound] = useState<Found & { readonly q: string }>();
  const form = useRef<HTMLFormElement>(null);
  const asked = q.trim();
  // As it stands in the field: a quick Enter comes before what was typed is drawn.
  const typed = () => String(form.current === null ? '' : new FormData(form.current).get('find')).trim();
  const find = useAct({
    async run() {
      const words = typed();
      return { ...(await search(words)), q: words };
    },
    after: setFound,
  });
  const pages =
    asked.length < 2 ? [] : PAGES.filter(([, ...texts]) => texts.join(' ').toLowerCase().includes(asked.toLowerCase()));
  const hits = found?.q === asked ? found.hits : [];
  /** Up and down through what was found, as in a list. */
  const walk = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined || form.current === null) return;
    event.preventDefault();
    const stops = [...form.current.querySelectorAll<HTMLElement>('input, .hits a')];
    const at = document.activeElement instanceof HTMLElement ? stops.indexOf(document.activeElement) : -1;
    stops[Math.min(Math.max(at + step, 0), stops.length - 1)]?.focus();
  };
  return (
    <Dialog title="Find" onClose={close}>
      <form
        class="stack"
        ref={form}
        aria-busy={find.isBusy}
        onKeyDown={walk}
        onSubmit={(event) => {
          event.preventDefault();
          if (typed() !== '') find.go();
        }}
      >
        <label class="field">
          A bot, an id, a number of the log, a setting{whyNoValues === undefined && ', a person'}
          <span class="line-of-search">
            {/* Of a search field Escape empties it first, and closes nothing. */}
            <input
              type="text"
              name="find"
              enterkeyhint="search"
              value={q}
              maxLength={200}
              autocomplete="off"
              spellcheck={false}
              onInput={(event) => setQ(event.currentTarget.value)}
            />
            <button type="submit" class="primary">
              Find
            </button>
          </span>
          <small>
            {whyNoValues === undefined
              ? 'People and cases by a name or an email too; that look is a row of the log.'
              : 'People and cases by their id; names are for who may see values.'}
          </small>
        </label>
        {find.error && <Problem error={find.error} />}
        {pages.length + hits.length > 0 && (
          <ul class="hits" aria-label="Found">
            {pages.map(([href, label]) => (
              <li key={href}>
                <Link href={href} onClick={close}>
                  {label}
                </Link>
                <small>page</small>
              </li>
            ))}
            {hits.map((hit) => (
              <HitLine key={JSON.stringify(hit)} hit={hit} close={close} />
            ))}
          </ul>
        )}
        <p role="status" class="note">
          {found !== undefined && found.q === asked && `${hits.length === 0 ? 'Nothing' : hits.length} found.`}
        </p>
        {found !== undefined && found.q === asked && hits.length === 0 && !found.byWords && (
          <Empty>Ids are matched whole.</Empty>
        )}
        <div class="actions">
          <button type="button" onClick={close}>
            Close
          </button>
          <button type="button" class="quiet" onClick={toKeys}>
            <Keyboard size={18} aria-hidden="true" />
            Keys
          </button>
        </div>
      </form>
    </Dialog>
  );
}

const path = (...parts: readonly string[]) => `/${parts.map(encodeURIComponent).join('/')}`;

function HitLine({ hit, close }: { readonly hit: Hit; readonly close: () => void }) {
  const { href, title, note } = shown(hit);
  return (
    <li>
      {hit.what === 'proposal' ? (
        // Drawn by the server.
        <a href={href}>
          <Text>{title}</Text>
        </a>
      ) : (
        <Link href={href} onClick={close}>
          <Text>{title}</Text>
        </Link>
      )}
      <small>
        <Text>{note}</Text>
        {hit.what === 'entry' && (
          <>
            {' '}
            <Moment at={hit.at} />
          </>
        )}
      </small>
    </li>
  );
}

const KINDS = { party: 'Person', case: 'Case' } as const;

function shown(hit: Hit): { readonly href: string; readonly title: string; readonly note: string } {
  if (hit.what === 'bot') return { href: path('bots', hit.bot), title: hit.bot, note: 'bot' };
  if (hit.what === 'proposal')
    return { href: path('approvals', hit.id), title: `${hit.action} of ${hit.bot}`, note: `proposal, ${hit.state}` };
  if (hit.what === 'entry')
    return {
      href: path('log', String(hit.seq)),
      title: `Log entry ${hit.seq}`,
      note: hit.bot === null ? hit.action : `${hit.action} of ${hit.bot}`,
    };
  if (hit.what === 'entries')
    return {
      href: `/log?record=${encodeURIComponent(hit.recordId)}`,
      title: hit.recordId,
      note: 'what the log has of it',
    };
  const { bot, kind, localId, object, recordId, label } = hit;
  return {
    href: path('bots', bot, 'sync', 'links', kind, localId),
    title: label ?? `${KINDS[kind]} ${localId}`,
    note: `${KINDS[kind]} ${localId} of ${bot}, ${recordId === null ? 'not in Salesforce yet' : `${object} ${recordId}`}`,
  };
}

function Keys({ close }: { readonly close: () => void }) {
  const [areOn, setOn] = useState(areKeysOn());
  return (
    <Dialog title="Keys" onClose={close}>
      <dl class="facts">
        <dt>
          <kbd>/</kbd>
        </dt>
        <dd>Find</dd>
        <dt>
          <kbd>?</kbd>
        </dt>
        <dd>These keys</dd>
        <dt>
          <kbd>j</kbd> <kbd>k</kbd>
        </dt>
        <dd>In the log: the next and the previous entry</dd>
        <dt>
          <kbd>Escape</kbd>
        </dt>
        <dd>Close what is on top</dd>
      </dl>
      <label class="tick">
        <input
          type="checkbox"
          checked={areOn}
          onChange={(event) => {
            setKeys(event.currentTarget.checked);
            setOn(event.currentTarget.checked);
          }}
        />
        Keys of one letter, in this browser
      </label>
      <div class="actions">
        <button type="button" onClick={close}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
