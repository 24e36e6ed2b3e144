import { useQuery } from '@tanstack/preact-query';
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { api, said } from '../api.ts';
import { Button, Fieldset } from '../parts/button.tsx';
import { Fact, Facts } from '../parts/facts.tsx';
import { at, Changes } from '../parts/policy-draft.tsx';
import { Empty, Loaded, Notice } from '../parts/states.tsx';
import { count, Text } from '../parts/text.tsx';
import { Moment } from '../parts/time.tsx';
import { useMay } from '../session.ts';

type Found = Awaited<ReturnType<typeof readUnused>>;
type Place = Found['places'][number];
const readUnused = (bot: string) => said(api.GET('/api/bots/{bot}/policy/unused', at(bot)));

/** What would make a policy narrower, and the grants that go with it: prepared here, saved by whoever looked at it. */
export interface Narrower {
  readonly changes: readonly Place['changes'][number][];
  readonly grants: readonly string[];
}

/** What is open and nothing used for 30 days, each with a tick. */
export function Unused({ bot, prepare }: { readonly bot: string; readonly prepare: (narrower: Narrower) => void }) {
  const query = useQuery({
    queryKey: ['policy', bot, 'unused'],
    queryFn: () => readUnused(bot),
    staleTime: 60_000,
    refetchInterval: false,
  });
  return <Loaded query={query}>{(found) => <Found found={found} prepare={prepare} />}</Loaded>;
}

const keyOf = ({ object, what }: Place) => `${what} ${object}`;

function Found({ found, prepare }: { readonly found: Found; readonly prepare: (narrower: Narrower) => void }) {
  const { grants, places, open, unknown, rows, since, isYoung } = found;
  const mayPolicy = useMay('MANAGE_POLICY');
  const mayGrant = useMay('MANAGE_GRANTS');
  const why = mayPolicy ?? mayGrant;
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  if (isYoung) return <Empty>This bot is younger than 30 days. What it never used can be said after that.</Empty>;
  const tick = (key: string) => ({
    isOn: !left.has(key),
    set: (isOn: boolean) => setLeft(isOn ? new Set([...left].filter((one) => one !== key)) : new Set([...left, key])),
  });
  const takenGrants = grants.map(({ permission }) => permission).filter((permission) => !left.has(permission));
  const takenPlaces = places.filter((place) => !left.has(keyOf(place)));
  const isNothing = takenGrants.length + takenPlaces.length === 0;
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        prepare({ grants: takenGrants, changes: takenPlaces.flatMap(({ changes }) => changes) });
      }}
    >
      <p class="note">
        Counted: {rows === 1 ? '1 row' : `${count(rows)} rows`} of the log since <Moment at={since} />, what waits for a
        person, mappings, subscriptions and lookups. Tries of operators and the playground are left out. Salesforce was
        not asked.
      </p>
      {grants.length + places.length === 0 ? (
        <Empty>Everything that is open was used.</Empty>
      ) : (
        <Fieldset kind="unused" why={why}>
          <legend>Open for 30 days, and never used</legend>
          <ul class="ticks">
            {grants.map(({ permission, actions }) => (
              <Line key={permission} {...tick(permission)}>
                The grant <code>{permission}</code>: {actions.join(', ')} was never called.
              </Line>
            ))}
            {places.map((place) => (
              <Line key={keyOf(place)} {...tick(keyOf(place))}>
                <Words of={place} />
              </Line>
            ))}
          </ul>
        </Fieldset>
      )}
      {why && <p class="note">{why}</p>}
      <NotJudged {...unknown} />
      {open.length > 0 && (
        <details>
          <summary>Objects whose every field is open, and the fields that were used</summary>
          <Facts>
            {open.map(({ object, used }) => (
              <Fact name={object} key={object}>
                <Text>{used.join(', ')}</Text>
              </Fact>
            ))}
          </Facts>
        </details>
      )}
      <div class="decide rests">
        <div class="actions">
          <Button type="submit" kind="primary" why={why ?? (isNothing ? 'Tick what is to be closed.' : undefined)}>
            Prepare the narrower revision
          </Button>
          <p class="note">It opens in the form. Nothing is saved before you do.</p>
        </div>
      </div>
    </form>
  );
}

function Line({
  isOn,
  set,
  children,
}: {
  readonly isOn: boolean;
  readonly set: (isOn: boolean) => void;
  readonly children: ComponentChildren;
}) {
  return (
    <li>
      <label>
        <input type="checkbox" checked={isOn} onChange={(event) => set(event.currentTarget.checked)} />
        <span>{children}</span>
      </label>
    </li>
  );
}

function Words({ of: { object, what, fields } }: { readonly of: Place }) {
  if (what === 'fields')
    return (
      <>
        Fields of <Text>{object === '*' ? 'every object' : object}</Text>: <Text>{fields.join(', ')}</Text>
      </>
    );
  return (
    <>
      The object <Text>{object}</Text>: {what === 'write' ? 'read, and never written.' : 'never read nor written.'}
    </>
  );
}

function NotJudged({ young, paths, fields }: Found['unknown']) {
  if (young.length + paths.length + fields.length === 0) return null;
  return (
    <Notice kind="warn" title="Some of it cannot be judged.">
      {young.length > 0 && (
        <p>
          {young.length} {young.length === 1 ? 'was' : 'were'} granted or opened less than 30 days ago:{' '}
          <Text>{young.join(', ')}</Text>.
        </p>
      )}
      {paths.length > 0 && (
        <p>
          No object, because a mapping follows <Text>{paths.join(', ')}</Text>, which may lead to any of them.
        </p>
      )}
      {fields.length > 0 && (
        <p>
          {fields.length} that a query may have followed whose text is not kept any more:{' '}
          <Text>{fields.join(', ')}</Text>.
        </p>
      )}
    </Notice>
  );
}

/** Above the form, until it is saved or dropped. */
export function Prepared({ grants, changes }: Narrower) {
  return (
    <Notice kind="warn" title="The narrower revision is prepared. Nothing is saved yet.">
      {grants.length > 0 && (
        <p>
          With it these grants are taken back: <Text>{grants.join(', ')}</Text>.
        </p>
      )}
      {changes.length > 0 && (
        <details>
          <summary>{changes.length === 1 ? 'One place differs' : `${changes.length} places differ`}</summary>
          <Changes of={changes} />
        </details>
      )}
      <p>Replay the last 30 days below before you save.</p>
    </Notice>
  );
}
