import { useQuery } from '@tanstack/preact-query';
import { api, said } from '../api.ts';
import { type FilterName, useLogFilter } from '../log-filter.ts';
import { momentsOf, SPANS, spanOf } from '../log-when.ts';
import { clock } from '../session.ts';
import { causeOf, OUTCOME_NAMES, OUTCOME_WORDS } from './decision.tsx';
import { Field } from './form.tsx';
import { visible } from './text.tsx';

/** What the log is narrowed to. Each change is in the address at once; the rarer ones open by themselves where they are set. */

const CHANNELS = ['mcp', 'rest', 'chat', 'cli', 'console', 'sync', 'playground'];
const RARE = ['action', 'principal', 'channel', 'code', 'record', 'event', 'since', 'until'] as const;

export function LogFilterForm() {
  const { filter, set, clear } = useLogFilter();
  const bots = useQuery({ queryKey: ['bots'], queryFn: () => said(api.GET('/api/bots')) });
  const names = bots.data?.bots.map(({ name }) => name) ?? [];
  const span = spanOf(filter, clock());
  const rare = RARE.filter(
    (name) => filter[name] !== undefined && (span === undefined || (name !== 'since' && name !== 'until')),
  );
  const text = (name: FilterName, label: string) => (
    <Field label={label}>
      <input
        type="search"
        value={filter[name] ?? ''}
        autocomplete="off"
        spellcheck={false}
        maxLength={100}
        onChange={(event) => set({ [name]: event.currentTarget.value.trim() })}
      />
    </Field>
  );
  return (
    <form class="card filter" aria-label="Filter" onSubmit={(event) => event.preventDefault()}>
      <div class="fields">
        <Field label="When">
          <select value={span ?? 'between'} onChange={(event) => set(momentsOf(event.currentTarget.value, clock()))}>
            <option value="">Any time</option>
            {SPANS.map(({ name, words }) => (
              <option key={name} value={name}>
                {words}
              </option>
            ))}
            {span === undefined && <option value="between">Between two moments</option>}
          </select>
        </Field>
        <Field label="Outcome">
          <select value={filter.outcome ?? ''} onChange={(event) => set({ outcome: event.currentTarget.value })}>
            <option value="">Any</option>
            {OUTCOME_NAMES.map((name) => (
              <option key={name} value={name}>
                {OUTCOME_WORDS[name][1]}
              </option>
            ))}
          </select>
        </Field>
        <Field label="Bot">
          <select value={filter.bot ?? ''} onChange={(event) => set({ bot: event.currentTarget.value })}>
            <option value="">Any</option>
            {[...new Set([...names, ...(filter.bot === undefined ? [] : [filter.bot])])].map((name) => (
              <option key={name} value={name}>
                {visible(name)}
              </option>
            ))}
          </select>
        </Field>
      </div>
      <details open={rare.length > 0}>
        <summary>
          More
          {rare.length > 0
            ? `: ${rare.map((name) => (name === 'code' ? causeOf(filter.code ?? '') : LABELS[name])).join(', ')}`
            : ''}
        </summary>
        <div class="fields">
          {text('action', LABELS.action)}
          {text('principal', LABELS.principal)}
          <Field label={LABELS.channel}>
            <select value={filter.channel ?? ''} onChange={(event) => set({ channel: event.currentTarget.value })}>
              <option value="">Any</option>
              {CHANNELS.map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          </Field>
          {text('code', LABELS.code)}
          {text('record', LABELS.record)}
          {text('event', LABELS.event)}
          {(['since', 'until'] as const).map((name) => (
            <Field key={name} label={LABELS[name]}>
              <input
                type="datetime-local"
                value={toLocal(filter[name])}
                onChange={(event) => set({ [name]: fromLocal(event.currentTarget.value) })}
              />
            </Field>
          ))}
        </div>
      </details>
      {Object.keys(filter).length > 0 && (
        <div class="actions">
          <button type="button" class="quiet" onClick={clear}>
            Clear the filter
          </button>
        </div>
      )}
    </form>
  );
}

const LABELS = {
  action: 'Action',
  principal: 'Who',
  channel: 'By which door',
  code: 'Cause',
  record: 'Id of the record',
  event: 'Event',
  since: 'From',
  until: 'Before',
} as const satisfies Record<(typeof RARE)[number], string>;

/** The address holds the moment, the field the reader's own clock. */
function toLocal(iso: string | undefined): string {
  const at = Date.parse(iso ?? '');
  if (Number.isNaN(at)) return '';
  return new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function fromLocal(text: string): string {
  const at = Date.parse(text);
  return Number.isNaN(at) ? '' : new Date(at).toISOString();
}
