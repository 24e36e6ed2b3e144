import { useQuery } from '@tanstack/preact-query';
import { useEffect, useState } from 'preact/hooks';
import { api, said } from '../api.ts';
import { Field } from './form.tsx';
import { Empty, Problem } from './states.tsx';
import { OutLink, Text } from './text.tsx';

interface Found {
  readonly id: string;
  readonly name: string;
  readonly hint?: string | undefined;
  readonly linkedTo?: string | undefined;
  readonly url?: string | undefined;
}

/** What was typed, once the typing rests. */
export function useRested<T>(value: T, ms = 350): T {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return rested;
}

/** Chooses one record of Salesforce: of those that could be meant, or by words. */
export function FindRecord({
  bot,
  object,
  candidates = [],
  children,
}: {
  readonly bot: string;
  readonly object: string;
  readonly candidates?: readonly Found[] | undefined;
  /** The button that takes it. */
  readonly children: (record: Found) => preact.ComponentChildren;
}) {
  const [words, setWords] = useState('');
  const q = useRested(words.trim());
  const query = useQuery({
    queryKey: ['sync', bot, 'find', object, q],
    queryFn: () =>
      said(api.GET('/api/bots/{bot}/objects/{object}/find', { params: { path: { bot, object }, query: { q } } })),
    enabled: q.length >= 2,
    refetchInterval: false,
  });
  const found: readonly Found[] = q.length >= 2 ? (query.data?.records ?? []) : candidates;
  return (
    <div class="stack">
      <Field
        label={`Look for ${/^[AEIOU]/.test(object) ? 'an' : 'a'} ${object} in Salesforce`}
        help="Two letters of its name or email at least."
      >
        <input
          type="search"
          value={words}
          autocomplete="off"
          onInput={(event) => setWords(event.currentTarget.value)}
        />
      </Field>
      {query.error && <Problem error={query.error} />}
      {found.length > 0 && (
        <ul class="found">
          {found.map((record) => (
            <li key={record.id}>
              <span>
                <OutLink url={record.url}>{record.name}</OutLink>
                <br />
                <small>
                  {record.hint && (
                    <>
                      <Text>{record.hint}</Text> ·{' '}
                    </>
                  )}
                  <code>{record.id}</code>
                </small>
              </span>
              {children(record)}
            </li>
          ))}
        </ul>
      )}
      {q.length >= 2 && query.data?.records.length === 0 && (
        <Empty>Nothing of that name, or the connected user may not see it.</Empty>
      )}
    </div>
  );
}
