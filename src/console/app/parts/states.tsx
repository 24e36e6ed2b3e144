import type { UseQueryResult } from '@tanstack/preact-query';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Refused } from '../api.ts';
import { byServer } from '../session.ts';
import { Text } from './text.tsx';
import { Moment } from './time.tsx';

/** The states that every page has: waiting, refused, old, empty. */

/** Nothing for 300 ms, so that a quick answer does not flicker. */
export function Waiting() {
  const [isSlow, setSlow] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), 300);
    return () => clearTimeout(timer);
  }, []);
  return (
    <p class="waiting" role="status">
      {isSlow ? 'Loading…' : ''}
    </p>
  );
}

/** What went wrong, what to do, and the id under which the server's log has it. */
export function Problem({ error, again }: { readonly error: unknown; readonly again?: (() => void) | undefined }) {
  const told = error instanceof Refused ? error.told : undefined;
  return (
    <div class="notice bad" role="alert">
      <strong>
        <Text>{told?.message ?? 'This page could not be shown.'}</Text>
      </strong>
      <div>
        <p>
          <Text>{told?.next ?? 'Reload the page.'}</Text>
        </p>
        {told?.fields && (
          <ul>
            {told.fields.map(({ name, problem }) => (
              <li key={name}>
                <code>{name}</code> <Text>{problem}</Text>
              </li>
            ))}
          </ul>
        )}
        {told?.id && (
          <p>
            <small>
              Id in the log: <code>{told.id}</code>
            </small>
          </p>
        )}
        {again && (
          <div class="actions">
            <button type="button" onClick={again}>
              Try again
            </button>
          </div>
        )}
      </div>
    </div>
  );
}

/** Draws what a query answered. What is already there stays, marked, while a later look fails. */
export function Loaded<T>({
  query,
  around = (state) => state,
  children,
}: {
  readonly query: UseQueryResult<T>;
  /** What stands already while nothing is there. */
  readonly around?: (state: JSX.Element) => JSX.Element;
  readonly children: (data: T) => ComponentChildren;
}): JSX.Element {
  const { data, error, refetch } = query;
  if (data === undefined)
    return around(error === null ? <Waiting /> : <Problem error={error} again={() => void refetch()} />);
  return (
    <>
      {error !== null && (
        <p class="old" role="status">
          This is from <Moment at={new Date(byServer(query.dataUpdatedAt)).toISOString()} />: the server could not be
          asked again.{' '}
          <button type="button" class="quiet" onClick={() => void refetch()}>
            Try again
          </button>
        </p>
      )}
      {children(data)}
    </>
  );
}

/** The rest of a list that goes on; nothing where it ends. */
export function Older({
  query,
  children = 'Older',
}: {
  readonly query: {
    readonly hasNextPage: boolean;
    readonly isFetchingNextPage: boolean;
    readonly fetchNextPage: () => Promise<unknown>;
  };
  readonly children?: string;
}) {
  if (!query.hasNextPage) return null;
  return (
    <div class="actions">
      <button
        type="button"
        aria-busy={query.isFetchingNextPage}
        onClick={() => query.isFetchingNextPage || void query.fetchNextPage()}
      >
        {children}
      </button>
    </div>
  );
}

export function Notice({
  kind,
  title,
  children,
}: {
  readonly kind: 'good' | 'warn' | 'bad';
  readonly title: ComponentChildren;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class={`notice ${kind}`} role={kind === 'bad' ? 'alert' : 'status'}>
      <strong>{title}</strong>
      {children && <div>{children}</div>}
    </div>
  );
}

export function Badge({
  kind = '',
  children,
}: {
  readonly kind?: 'good' | 'warn' | 'bad' | 'accent' | '';
  readonly children: ComponentChildren;
}) {
  return <span class={`badge ${kind}`}>{children}</span>;
}

export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}
