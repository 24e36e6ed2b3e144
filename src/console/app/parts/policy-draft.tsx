import { useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';
import { api, queries, said } from '../api.ts';
import { BeforeAfter, Changes as Places } from './changes.tsx';
import { Notice } from './states.tsx';
import { personName, Text } from './text.tsx';

/** A policy that somebody changes: kept beside the revision they read, so that what others save meanwhile is neither lost nor hidden. */

export type Read = Awaited<ReturnType<typeof readPolicy>>;
export type Policy = Read['policy'];
export type ActionPolicy = Policy['actions'][string];
export type Rule = ActionPolicy['rules'][number];
export type Condition = Rule['if'];

/** An action that a policy does not name: every call waits. */
export const UNNAMED: ActionPolicy = {
  decision: 'confirm',
  assurance: 'client',
  rules: [],
  autoFields: [],
  expose: [],
};

/** What a part of the policy's form shows and changes. */
export interface Part {
  readonly policy: Policy;
  readonly change: (to: (policy: Policy) => Policy) => void;
}

export const at = (bot: string) => ({ params: { path: { bot } } });
const readPolicy = (bot: string) => said(api.GET('/api/bots/{bot}/policy', at(bot)));

interface Mine {
  readonly base: Read;
  readonly policy: Policy;
}

export function usePolicyDraft(bot: string) {
  const query = useQuery({ queryKey: ['policy', bot], queryFn: () => readPolicy(bot) });
  const [mine, setMine] = useState<Mine>();
  const [warnings, setWarnings] = useState<readonly string[]>([]);
  const now = query.data;
  const base = mine?.base ?? now;
  const policy = mine?.policy ?? now?.policy;
  return {
    query,
    /** What is on the page, and the revision that it was made from. */
    shown: base === undefined || policy === undefined ? undefined : { revision: base.revision, policy },
    isDirty: mine !== undefined && !isSame(mine.base.policy, mine.policy),
    /** Of the save. */
    warnings,
    /** Somebody saved since. */
    newer: mine !== undefined && now !== undefined && now.revision !== mine.base.revision ? now : undefined,
    change(to: (policy: Policy) => Policy) {
      if (now === undefined) return;
      setMine((before) => ({ base: before?.base ?? now, policy: to(before?.policy ?? now.policy) }));
    },
    drop() {
      setMine(undefined);
    },
    /** What was changed here stays changed; everything else becomes as it is now. */
    catchUp() {
      const latest = queries.getQueryData<Read>(['policy', bot]);
      if (mine === undefined || latest === undefined) return;
      setMine({ base: latest, policy: onto(mine.base.policy, mine.policy, latest.policy) as Policy }); // of three policies
    },
    /** `typed`: in place of what is on the page, as it was written down. */
    async save(typed?: object) {
      if (base === undefined || policy === undefined) throw new Error('Nothing was read.');
      const body = { policy: typed ?? policy, revision: base.revision };
      try {
        const { warnings: told = [], ...saved } = await said(api.PUT('/api/bots/{bot}/policy', { ...at(bot), body }));
        queries.setQueryData(['policy', bot], saved);
        setMine(undefined);
        setWarnings(told);
        return { ...saved, warnings: told };
      } catch (error) {
        // Who was faster, and with what.
        await query.refetch();
        throw error;
      }
    },
  };
}

export type Draft = ReturnType<typeof usePolicyDraft>;

export const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

type Tree = Readonly<Record<string, unknown>>;
const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

/** `mine` where it differs from `base`, place by place; else `theirs`. */
export function onto(base: unknown, mine: unknown, theirs: unknown): unknown {
  if (isSame(base, mine)) return theirs;
  if (!isTree(base) || !isTree(mine) || !isTree(theirs)) return mine;
  const keys = [...new Set([...Object.keys(theirs), ...Object.keys(mine)])];
  const merged = keys.map((key) => [key, onto(base[key], mine[key], theirs[key])] as const);
  return Object.fromEntries(merged.filter(([, value]) => value !== undefined));
}

/** The policy with another value at one place, named as the server names places: `objects.Lead.write`. */
export function put(policy: Policy, place: string, value: unknown): Policy {
  const within = (tree: unknown, [first, ...rest]: readonly string[]): unknown =>
    first === undefined
      ? value
      : { ...(isTree(tree) ? tree : {}), [first]: within(isTree(tree) ? tree[first] : {}, rest) };
  return within(policy, place.split('.')) as Policy; // what is saved is checked
}

/** A lost race, in words: who saved what, and that nothing typed here is lost. */
export function Newer({ bot, draft }: { readonly bot: string; readonly draft: Draft }) {
  const { newer, shown } = draft;
  const query = useQuery({
    queryKey: ['policy', bot, 'since', newer?.revision, shown?.revision],
    queryFn: () =>
      said(
        api.GET('/api/bots/{bot}/policy/revisions/{revision}', {
          params: {
            path: { bot, revision: String(newer?.revision) },
            query: { against: shown?.revision ?? 1 },
          },
        }),
      ),
    enabled: newer !== undefined,
  });
  if (newer === undefined) return null;
  return (
    <Notice
      kind="warn"
      title={
        <>
          Saved by <Text>{personName(query.data?.by ?? 'somebody')}</Text> since you read it.
        </>
      }
    >
      <p>Your change is kept below. This is what revision {newer.revision} changed:</p>
      <Changes of={query.data?.changes ?? []} />
      <div class="actions">
        <button type="button" onClick={draft.catchUp}>
          Put my change on top
        </button>
        <button type="button" class="quiet" onClick={draft.drop}>
          Drop mine, show theirs
        </button>
      </div>
    </Notice>
  );
}

interface Change {
  readonly name: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** What one revision changed of another. */
export function Changes({ of }: { readonly of: readonly Change[] }) {
  if (of.length === 0) return <p class="empty">Nothing differs.</p>;
  return (
    <Places label="What differs" columns={['Place', 'Before', 'After']}>
      {of.map(({ name, before, after }) => (
        <tr key={name}>
          <th scope="row">
            <Text>{name}</Text>
          </th>
          <BeforeAfter before={before} after={after} show={Said} />
        </tr>
      ))}
    </Places>
  );
}

function Said({ of }: { readonly of: unknown }) {
  if (of === undefined) return <span class="empty">not there</span>;
  return (
    <code>
      <Text>{typeof of === 'string' ? of : JSON.stringify(of)}</Text>
    </code>
  );
}
