import { useQuery } from '@tanstack/preact-query';
import { useMemo, useState } from 'preact/hooks';
import { Link, useSearchParams } from 'wouter-preact';
import { api, queries, Refused, said } from '../api.ts';
import { ActButton, useAct } from '../parts/act.tsx';
import { Button, UNCHANGED } from '../parts/button.tsx';
import type { Pickable } from '../parts/field-picker.tsx';
import { useRested } from '../parts/find-record.tsx';
import { Page } from '../parts/page.tsx';
import { Badge, Loaded, Notice, Problem } from '../parts/states.tsx';
import { crumbsOf, type Kind, mappingPath } from '../parts/sync.tsx';
import { personName, Text, Words } from '../parts/text.tsx';
import { Moment } from '../parts/time.tsx';
import { useMay } from '../session.ts';
import { knownBy, useHostRecords } from './find-host.tsx';
import { type Mapping as Draft, groupOf, keyOf, type Rule, readMapping, readObject } from './mapping-draft.ts';
import { NewRule, RuleRow } from './mapping-rule.tsx';
import { type Suggestion, Suggestions } from './mapping-suggestions.tsx';

type Known = Awaited<ReturnType<typeof readMapping>>;
const WORDS = { party: 'people', case: 'cases' } as const;

/** Which fields go where: edited as a draft, previewed on a real record, checked, and saved over the version read. */
export function Mapping({ bot, kind }: { readonly bot: string; readonly kind: Kind }) {
  const query = useQuery({ queryKey: ['mappings', bot, kind], queryFn: () => readMapping(bot, kind) });
  const other = kind === 'party' ? 'case' : 'party';
  return (
    <Page
      title={`Mapping of ${WORDS[kind]}, ${bot}`}
      heading={`Mapping of ${WORDS[kind]}`}
      crumbs={crumbsOf(bot)}
      actions={
        <Link class="button quiet" href={mappingPath(bot, other)}>
          Mapping of {WORDS[other]}
        </Link>
      }
    >
      <Loaded query={query}>{(known) => <Editor bot={bot} kind={kind} known={known} />}</Loaded>
    </Page>
  );
}

function Editor({ bot, kind, known }: { readonly bot: string; readonly kind: Kind; readonly known: Known }) {
  const why = useMay('MANAGE_MAPPINGS');
  // What is edited was read once: what others save meanwhile is told, and takes nothing away.
  const [base, setBase] = useState(known);
  const [draft, setDraft] = useState<Draft>(known.mapping);
  const [ticked, setTicked] = useState<readonly Suggestion[]>([]);
  const [checked, setChecked] = useState<CheckedAnswer>();
  const fields = useFields(bot, draft.object);
  const isChanged = JSON.stringify(draft) !== JSON.stringify(base.mapping) || ticked.length > 0;
  const whole = useMemo(
    () => ({ ...draft, rules: [...draft.rules, ...ticked.map(({ rule }) => rule)] }),
    [draft, ticked],
  );
  const preview = usePreview(bot, kind, whole, why === undefined);
  const { records } = useSample(bot, kind, why === undefined);
  const names = [...new Set(records.flatMap((record) => Object.keys(record.fields)))].sort();
  const refused = byRule(preview.error instanceof Refused ? preview.error.told.fields : preview.data?.problems);
  const path = { params: { path: { bot, kind } } };
  const start = (from: Known) => {
    setBase(from);
    setDraft(from.mapping);
    setTicked([]);
  };
  const save = useAct({
    run: () =>
      said(api.PUT('/api/bots/{bot}/mappings/{kind}', { ...path, body: { mapping: whole, version: base.version } })),
    done: ({ version, links }) => `Saved as version ${version}. ${links} records are looked at again.`,
    changes: ['sync'],
    async after() {
      start(
        await queries.fetchQuery({
          queryKey: ['mappings', bot, kind],
          queryFn: () => readMapping(bot, kind),
          staleTime: 0,
        }),
      );
    },
  });
  const edit = (at: number, rule: Rule | undefined) =>
    setDraft({ ...draft, rules: draft.rules.flatMap((one, index) => (index === at ? (rule ?? []) : one)) });
  const groups = grouped(draft);
  const isConflict = save.error instanceof Refused && save.error.told.code === 'conflict';
  return (
    <>
      <p class="lead">
        {base.isDefault
          ? 'The shipped mapping: nothing was saved yet.'
          : `Version ${base.version}, by ${personName(base.by ?? '')}.`}{' '}
        Records go to <strong>{draft.object}</strong>.
      </p>
      {known.version !== base.version && (
        <Notice
          kind="warn"
          title={`${personName(known.by ?? 'Somebody')} saved version ${known.version} while you edited.`}
        >
          <p>Your change is kept below. Read theirs first: saving yours over it is refused.</p>
          <div class="actions">
            <button type="button" onClick={() => start(known)}>
              Take theirs
            </button>
            <button type="button" class="quiet" onClick={() => setBase(known)}>
              Keep mine, over theirs
            </button>
          </div>
        </Notice>
      )}
      <div class="actions">
        <Suggestions bot={bot} kind={kind} ticked={ticked} onTick={setTicked} why={why} />
        <ActButton
          why={why}
          run={() => said(api.POST('/api/bots/{bot}/mappings/{kind}/check', { ...path, body: { mapping: whole } }))}
          done={({ problems, warnings }) =>
            problems.length > 0
              ? 'It cannot be saved yet: see below.'
              : warnings.length > 0
                ? 'It can be saved: see what to mind below.'
                : 'Nothing is wrong with it.'
          }
          after={(answer) => setChecked(answer)}
        >
          Check
        </ActButton>
        <Button kind="primary" why={why ?? (isChanged ? undefined : UNCHANGED)} isBusy={save.isBusy} onClick={save.go}>
          Save as version {base.version + 1}
        </Button>
        {isChanged && (
          <button type="button" class="quiet" onClick={() => start(base)}>
            Undo my changes
          </button>
        )}
      </div>
      {why && <p class="note">{why}</p>}
      {save.error && !isConflict && <Problem error={save.error} />}
      {isConflict && (
        <Problem
          error={save.error}
          again={() => void queries.invalidateQueries({ queryKey: ['mappings', bot, kind] })}
        />
      )}
      {checked && <Checked of={checked} />}
      {preview.error && refused.size === 0 && <Problem error={preview.error} />}
      {why === undefined && <SampleChoice bot={bot} kind={kind} />}
      {[...groups].map(([object, rules]) => (
        <section class="card" key={object} aria-label={`Fields of ${object}`}>
          <h2>{object}</h2>
          <ul class="problems">
            {rules.map(({ rule, at }) => (
              <li key={`${at}`}>
                <RuleRow
                  rule={rule}
                  fields={fields}
                  names={names}
                  line={preview.data?.lines.get(keyOf(rule))}
                  problems={refused.get(at) ?? []}
                  why={why}
                  onChange={(next) => edit(at, next)}
                />
              </li>
            ))}
          </ul>
        </section>
      ))}
      {why === undefined && (
        <NewRule
          names={names}
          fields={fields}
          onAdd={(rule) => setDraft({ ...draft, rules: [...draft.rules, rule] })}
        />
      )}
      <Versions bot={bot} kind={kind} current={base.version} why={why} onTake={(mapping) => setDraft(mapping)} />
    </>
  );
}

/** Rules by the object whose field they are of, each with its place in the mapping. */
function grouped({
  rules,
  object,
}: Draft): ReadonlyMap<string, readonly { readonly rule: Rule; readonly at: number }[]> {
  const groups = new Map<string, { rule: Rule; at: number }[]>();
  for (const [at, rule] of rules.entries()) {
    const group = groupOf(rule, object);
    groups.set(group, [...(groups.get(group) ?? []), { rule, at }]);
  }
  return groups;
}

/** What is wrong, by the place of the rule that it is about. */
function byRule(problems: readonly Named[] = []): ReadonlyMap<number, readonly string[]> {
  const found = new Map<number, string[]>();
  for (const { name, problem } of problems) {
    const [, at] = /(?:^|\.)rules\.(\d+)/.exec(name) ?? [];
    if (at === undefined) continue;
    const there = found.get(Number(at)) ?? [];
    if (!there.includes(problem)) found.set(Number(at), [...there, problem]);
  }
  return found;
}

interface CheckedAnswer {
  readonly problems: readonly Named[];
  readonly warnings: readonly Named[];
}
interface Named {
  readonly name: string;
  readonly problem: string;
}

function Checked({ of: { problems, warnings } }: { readonly of: CheckedAnswer }) {
  if (problems.length === 0 && warnings.length === 0) return null;
  const isBad = problems.length > 0;
  return (
    <Notice
      kind={isBad ? 'bad' : 'warn'}
      title={isBad ? 'It cannot be saved like this.' : 'It can be saved. Mind this:'}
    >
      <ul>
        {[...problems, ...warnings].map(({ name, problem }) => (
          <li key={`${name} ${problem}`}>
            <code>{name}</code> <Words>{problem}</Words>
          </li>
        ))}
      </ul>
    </Notice>
  );
}

/** Of the object, and of the account that it belongs to. */
function useFields(bot: string, object: string): readonly Pickable[] {
  const own = useQuery({
    queryKey: ['objects', bot, object],
    queryFn: () => readObject(bot, object),
    staleTime: 600_000,
    refetchInterval: false,
  });
  const hasAccount = own.data?.fields.some(({ relationshipName }) => relationshipName === 'Account') ?? false;
  const account = useQuery({
    queryKey: ['objects', bot, 'Account'],
    queryFn: () => readObject(bot, 'Account'),
    enabled: hasAccount,
    staleTime: 600_000,
    refetchInterval: false,
  });
  return useMemo(() => {
    const toPick =
      (prefix: string, label: string) =>
      (field: NonNullable<typeof own.data>['fields'][number]): Pickable => ({
        name: prefix + field.name,
        label: label + field.label,
        note: field.isOpen ? field.type : `${field.type}, not open to this bot`,
      });
    return [
      ...(own.data?.fields.map(toPick('', '')) ?? []),
      ...(account.data?.fields.map(toPick('Account.', 'Account: ')) ?? []),
    ];
  }, [own.data, account.data]);
}

/** The sample that the preview is made of: the one that the address names, else the one changed last. */
function useSample(bot: string, kind: Kind, enabled: boolean) {
  const [params, setParams] = useSearchParams();
  const { data } = useHostRecords(bot, kind, '', enabled);
  const sample = params.get('sample') ?? data?.records[0]?.id;
  return { sample, records: data?.records ?? [], choose: (id: string) => setParams({ sample: id }, { replace: true }) };
}

type Line = Awaited<ReturnType<typeof readPreview>>['lines'][number];
const readPreview = (bot: string, kind: Kind, mapping: Draft, localId: string) =>
  said(
    api.POST('/api/bots/{bot}/mappings/{kind}/preview', {
      params: { path: { bot, kind } },
      body: { mapping, localId },
    }),
  );

function usePreview(bot: string, kind: Kind, mapping: Draft, enabled: boolean) {
  const { sample } = useSample(bot, kind, enabled);
  const rested = useRested(mapping);
  return useQuery({
    queryKey: ['mappings', bot, kind, 'preview', sample, rested],
    queryFn: async () => {
      const { lines, problems } = await readPreview(bot, kind, rested, sample ?? '');
      return { lines: new Map(lines.map((line): [string, Line] => [line.rule, line])), problems };
    },
    enabled: enabled && sample !== undefined,
    placeholderData: (before) => before,
    refetchInterval: false,
  });
}

function SampleChoice({ bot, kind }: { readonly bot: string; readonly kind: Kind }) {
  const { sample, records, choose } = useSample(bot, kind, true);
  if (records.length === 0) return <p class="note">A preview is shown once the host app has sent a record.</p>;
  return (
    <label class="field">
      Preview on
      <select value={sample} onChange={(event) => choose(event.currentTarget.value)}>
        {sample !== undefined && !records.some(({ id }) => id === sample) && <option value={sample}>{sample}</option>}
        {records.map(({ id, fields }) => (
          <option key={id} value={id}>
            {`${id}  ${knownBy(fields)}`.slice(0, 80)}
          </option>
        ))}
      </select>
    </label>
  );
}

function Versions({
  bot,
  kind,
  current,
  why,
  onTake,
}: {
  readonly bot: string;
  readonly kind: Kind;
  readonly current: number;
  readonly why: string | undefined;
  readonly onTake: (mapping: Draft) => void;
}) {
  const query = useQuery({
    queryKey: ['mappings', bot, kind, 'versions', current],
    queryFn: () => said(api.GET('/api/bots/{bot}/mappings/{kind}/versions', { params: { path: { bot, kind } } })),
  });
  return (
    <details class="card">
      <summary>Versions</summary>
      <Loaded query={query}>
        {({ versions }) =>
          versions.length === 0 ? (
            <p class="empty">None was saved: the shipped mapping holds.</p>
          ) : (
            <ul class="found">
              {versions.map(({ version, by, at, mapping }) => (
                <li key={version}>
                  <span>
                    <strong>Version {version}</strong> {version === current && <Badge kind="good">holds</Badge>}
                    <br />
                    <small>
                      <Text>{personName(by)}</Text>, <Moment at={at} />, {mapping.rules.length} rules
                    </small>
                  </span>
                  {version !== current && (
                    <Button why={why} onClick={() => onTake(mapping)}>
                      Edit from this one
                    </Button>
                  )}
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </details>
  );
}
