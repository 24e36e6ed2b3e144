import { useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';
import { api, said } from '../api.ts';
import { useRested } from '../parts/find-record.tsx';
import { Field } from '../parts/form.tsx';
import { Empty, Problem } from '../parts/states.tsx';
import { type Kind, kindWord, RecordLink } from '../parts/sync.tsx';
import { Text } from '../parts/text.tsx';
import { useMay } from '../session.ts';

/** A person or case of the host app by words of its id or values, also one without a link. */
export function FindHost({ bot }: { readonly bot: string }) {
  const why = useMay('MANAGE_MAPPINGS');
  const [words, setWords] = useState('');
  const q = useRested(words.trim());
  const people = useHostRecords(bot, 'party', q, q.length >= 2);
  const cases = useHostRecords(bot, 'case', q, q.length >= 2);
  const error = people.error ?? cases.error;
  const found =
    q.length < 2
      ? []
      : (['party', 'case'] as const).flatMap((kind) =>
          ((kind === 'party' ? people : cases).data?.records ?? []).map((record) => ({ kind, ...record })),
        );
  return (
    <div class="stack">
      <Field label="Find a person or case" help={why ?? 'By its id, name or email, as the host app knows it.'}>
        <input
          type="search"
          value={words}
          disabled={why !== undefined}
          autocomplete="off"
          onInput={(event) => setWords(event.currentTarget.value)}
        />
      </Field>
      {error && <Problem error={error} />}
      {found.length > 0 && (
        <ul class="found">
          {found.map(({ kind, id, fields }) => (
            <li key={`${kind} ${id}`}>
              <span>
                <RecordLink bot={bot} kind={kind} localId={id} />
                <br />
                <small>
                  <Text>{knownBy(fields) || kindWord(kind)}</Text>
                </small>
              </span>
            </li>
          ))}
        </ul>
      )}
      {q.length >= 2 && people.data && cases.data && found.length === 0 && (
        <Empty>Nobody and nothing of these words.</Empty>
      )}
    </div>
  );
}

/** Records of the host app by words; without any, the last changed. */
export function useHostRecords(bot: string, kind: Kind, q: string, enabled: boolean) {
  return useQuery({
    queryKey: ['sync', bot, 'host', kind, q],
    queryFn: () => said(api.GET('/api/bots/{bot}/records/{kind}', { params: { path: { bot, kind }, query: { q } } })),
    enabled,
    refetchInterval: false,
  });
}

const SHOWN = ['name', 'title', 'email', 'company', 'status'];

/** What one record is known by. */
export const knownBy = (fields: Readonly<Record<string, unknown>>): string =>
  SHOWN.flatMap((name) =>
    typeof fields[name] === 'string' && fields[name] !== '' ? [fields[name].slice(0, 120)] : [],
  ).join(' · ');
