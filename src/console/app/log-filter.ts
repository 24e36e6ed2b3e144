import { useSearchParams } from 'wouter-preact';
import { OUTCOME_NAMES, type Outcome } from './parts/decision.tsx';

/** The filter of the log as it stands in the address: the list, one entry and its neighbours, exports and bars all read it. */

export const FILTER_NAMES = [
  ...(['bot', 'outcome', 'action', 'principal', 'channel', 'code', 'record', 'event', 'since', 'until'] as const),
];
export type FilterName = (typeof FILTER_NAMES)[number];
export type LogFilter = Partial<Readonly<Record<FilterName, string>>>;

export function useLogFilter() {
  const [search, setSearch] = useSearchParams();
  const filter: LogFilter = Object.fromEntries(
    FILTER_NAMES.flatMap((name) => {
      const value = search.get(name);
      return value === null || value === '' ? [] : [[name, value]];
    }),
  );
  return {
    filter,
    set: (given: LogFilter) => setSearch(textOf({ ...filter, ...given }), { replace: true }),
    clear: () => setSearch('', { replace: true }),
  };
}

/** As the API takes it: what it has no word for is left out by it with a refusal. */
export function queryOf({ outcome, ...filter }: LogFilter) {
  const known = OUTCOME_NAMES.find((name) => name === outcome);
  return { ...filter, ...(known === undefined ? {} : { outcome: known as Outcome }) };
}

function textOf(filter: LogFilter): string {
  return new URLSearchParams(Object.entries(filter).filter(([, value]) => value !== '')).toString();
}

/** An address with this filter. */
export function withFilter(path: string, filter: LogFilter): string {
  const text = textOf(filter);
  return text === '' ? path : `${path}?${text}`;
}
