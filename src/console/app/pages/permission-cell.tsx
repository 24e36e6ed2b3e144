import { useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import { api, said } from '../api.ts';
import { ActButton, useAct } from '../parts/act.tsx';
import { Button, Fieldset, UNCHANGED } from '../parts/button.tsx';
import { ListInput, newRule, RuleFields } from '../parts/conditions.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/form.tsx';
import { type ActionPolicy, at, Newer, UNNAMED, usePolicyDraft } from '../parts/policy-draft.tsx';
import { type BotRow, type Cell, type Known, useActions, WORDS } from '../parts/standing.ts';
import { Empty, Loaded, Notice, Problem } from '../parts/states.tsx';
import { tell } from '../parts/tell.tsx';
import { Words } from '../parts/text.tsx';
import { useMay } from '../session.ts';
import { TryCall } from './try-call.tsx';

type Choice = 'not_granted' | 'deny' | 'confirm' | 'auto';
const CHOICES: readonly (readonly [Choice, string, string])[] = [
  ['not_granted', 'Not granted', 'The bot does not know it.'],
  ['deny', 'Denied', 'Granted, and always refused.'],
  ['confirm', 'Asks a person', 'Every call waits for a yes.'],
  ['auto', 'Runs', 'By itself, unless a rule below says otherwise.'],
];

/** One action of one bot: granted or not, what policy says, its kill switch, its rules, and a call to try it with. */
export function CellPanel({
  bot,
  cell,
  onClose,
}: {
  readonly bot: BotRow;
  readonly cell: Cell;
  readonly onClose: () => void;
}) {
  const draft = usePolicyDraft(bot.name);
  const actions = useActions(bot.name);
  return (
    <Dialog title={`${cell.action} for ${bot.name}`} onClose={onClose}>
      <Loaded query={actions}>
        {(data) => {
          const known = data.actions.find(({ name }) => name === cell.action);
          if (known === undefined) return <Empty>There is no such action any more.</Empty>;
          return <Loaded query={draft.query}>{() => <Fields {...{ bot, cell, known, draft, onClose }} />}</Loaded>;
        }}
      </Loaded>
    </Dialog>
  );
}

function Fields({
  bot,
  cell,
  known,
  draft,
  onClose,
}: {
  readonly bot: BotRow;
  readonly cell: Cell;
  readonly known: Known;
  readonly draft: ReturnType<typeof usePolicyDraft>;
  readonly onClose: () => void;
}) {
  const { action } = cell;
  const mayPolicy = useMay('MANAGE_POLICY');
  const mayGrant = useMay('MANAGE_GRANTS');
  const wasGranted = cell.word !== 'not_granted';
  const [isGranted, setGranted] = useState(wasGranted);
  const warnings = useQuery({
    queryKey: ['policy', bot.name, 'grants'],
    queryFn: () => said(api.GET('/api/bots/{bot}/permissions', at(bot.name))),
  });
  const save = useAct({
    async run() {
      // The policy first: what is granted meets the policy that was meant for it.
      const saved = draft.isDirty ? await draft.save() : undefined;
      if (isGranted !== wasGranted)
        await said(
          api.PUT('/api/bots/{bot}/permissions', {
            ...at(bot.name),
            body: isGranted ? { grant: [known.permission] } : { revoke: [known.permission] },
          }),
        );
      return saved;
    },
    changes: ['policy', 'bots'],
    after(saved) {
      tell(
        `${action} of ${bot.name}: saved${saved === undefined ? '' : ` as revision ${saved.revision}`}.${saved === undefined || saved.warnings.length === 0 ? '' : ` ${saved.warnings.join(' ')}`}`,
      );
      onClose();
    },
  });
  if (draft.shown === undefined) return null;
  const { policy, revision } = draft.shown;
  const of = policy.actions[action] ?? UNNAMED;
  const set = (change: (of: ActionPolicy) => ActionPolicy) =>
    draft.change((before) => ({
      ...before,
      actions: { ...before.actions, [action]: change(before.actions[action] ?? UNNAMED) },
    }));
  const choice: Choice = !isGranted ? 'not_granted' : of.decision === 'never' ? 'deny' : of.decision;
  const choose = (to: Choice) => {
    setGranted(to !== 'not_granted');
    // A bot whose policy does not name it is asked about: named once somebody says so.
    if (to !== 'not_granted' && (to !== choice || !Object.hasOwn(policy.actions, action)))
      set((before) => ({ ...before, decision: to }));
  };
  const hasChanged = draft.isDirty || isGranted !== wasGranted;
  const granting = isGranted && !wasGranted ? (warnings.data?.warnings[known.permission] ?? []) : [];
  const isWrite = known.risk !== 'read';
  // That it asks is what `asks` means; why nobody said so is worth a word.
  const why = cell.word === 'asks' && cell.isNamed && cell.policy.decision === 'confirm' ? '' : cell.why.join(' ');
  return (
    <form
      class="stack"
      aria-busy={save.isBusy}
      onSubmit={(event) => {
        event.preventDefault();
        save.go();
      }}
    >
      <p class="note">
        {known.title}. It {WORDS[cell.word].means}
        {why === '' ? (
          '.'
        ) : (
          <>
            : <Words>{why}</Words>
          </>
        )}
        {isGranted && bot.connection !== 'connected' && ' It is granted, but not connected.'}
      </p>
      {mayPolicy && <p class="note">{mayPolicy}</p>}
      <Newer bot={bot.name} draft={draft} />
      <Fieldset kind="choices" why={mayPolicy ?? mayGrant}>
        <legend>What a call meets</legend>
        {CHOICES.map(([value, label, help]) => (
          <label class="choice" key={value}>
            <input type="radio" name="decision" checked={choice === value} onChange={() => choose(value)} />
            <span>
              {label}
              <small>{help}</small>
            </span>
          </label>
        ))}
      </Fieldset>
      {granting.map((words) => (
        <Notice kind="warn" key={words} title={<Words>{words}</Words>} />
      ))}
      {isGranted && (
        <Fieldset why={mayPolicy}>
          <legend>Also ask or deny when…</legend>
          {of.rules.length === 0 && <p class="empty">No rule yet.</p>}
          {of.rules.map((rule, place) => (
            <RuleFields
              key={place}
              rule={rule}
              known={known.conditions}
              place={`actions.${action}.rules[${place}]`}
              onChange={(to) => set((before) => ({ ...before, rules: before.rules.with(place, to) }))}
              onRemove={() => set((before) => ({ ...before, rules: before.rules.toSpliced(place, 1) }))}
            />
          ))}
          <div class="actions">
            <button
              type="button"
              onClick={() => set((before) => ({ ...before, rules: [...before.rules, newRule(known.conditions)] }))}
            >
              Add a threshold
            </button>
          </div>
          {isWrite && (
            <Field label="Fields whose change alone runs" help="API names with commas between them, such as NextStep.">
              <ListInput
                name={`actions.${action}.autoFields`}
                value={of.autoFields}
                onChange={(autoFields) => set((before) => ({ ...before, autoFields }))}
              />
            </Field>
          )}
          <label class="tick">
            <input
              type="checkbox"
              checked={of.assurance === 'session'}
              onChange={(event) => {
                const assurance = event.currentTarget.checked ? 'session' : 'client';
                set((before) => ({ ...before, assurance }));
              }}
            />
            Only a signed-in person may say yes
          </label>
        </Fieldset>
      )}
      {save.error && <Problem error={save.error} />}
      <div class="actions keep">
        <Button type="submit" kind="primary" why={mayPolicy ?? (hasChanged ? undefined : UNCHANGED)}>
          {draft.isDirty ? `Save as revision ${revision + 1}` : 'Save'}
        </Button>
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <KillSwitch
          bot={bot.name}
          cell={cell}
          after={(saved) => {
            // Our own switch is nobody else's save.
            if (saved.revision === revision + 1) draft.catchUp();
          }}
        />
      </div>
      <TryCall bot={bot.name} known={known} policy={draft.isDirty ? policy : undefined} of={of} isGranted={isGranted} />
      <p class="note">
        <Link href={`/bots/${encodeURIComponent(bot.name)}/policy`}>The whole policy of this bot</Link>
      </p>
    </form>
  );
}

/** At once, and whatever else is being saved. */
function KillSwitch({
  bot,
  cell: { action, isOff },
  after,
}: {
  readonly bot: string;
  readonly cell: Cell;
  readonly after: (saved: { readonly revision: number }) => void;
}) {
  const why = useMay('MANAGE_POLICY');
  const path = { params: { path: { bot, action } } };
  return (
    <ActButton
      why={why}
      kind={isOff ? '' : 'danger'}
      run={() =>
        said(isOff ? api.DELETE('/api/bots/{bot}/off/{action}', path) : api.PUT('/api/bots/{bot}/off/{action}', path))
      }
      done={isOff ? `${action} of ${bot} is on again.` : `${action} of ${bot} is off from the next call on.`}
      changes={['policy', 'bots']}
      after={after}
    >
      {isOff ? 'Switch on again' : 'Switch off now'}
    </ActButton>
  );
}
