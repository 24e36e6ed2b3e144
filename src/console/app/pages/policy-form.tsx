import { useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import { Button, Fieldset } from '../parts/button.tsx';
import { ListInput, ruleWords } from '../parts/conditions.tsx';
import { Field } from '../parts/form.tsx';
import { type ActionPolicy, type Part, type Policy, UNNAMED } from '../parts/policy-draft.tsx';
import { useActions } from '../parts/standing.ts';
import { Loaded } from '../parts/states.tsx';
import { Text } from '../parts/text.tsx';
import { MODES } from './bot-mode.tsx';
import { Words } from './policy-words.tsx';

/** The policy as fields. Each is named by its place in the policy, so that what the server names takes the focus. */

export function PolicyFields({ bot, why, ...part }: Part & { readonly bot: string; readonly why: string | undefined }) {
  return (
    <Fieldset kind="stack" why={why}>
      <legend class="hidden">Policy</legend>
      <Mode {...part} />
      <Actions bot={bot} {...part} />
      <Objects {...part} />
      <Limits {...part} />
      <Chat {...part} />
      <Words bot={bot} {...part} />
    </Fieldset>
  );
}

function Mode({ policy, change }: Part) {
  return (
    <section class="card" aria-labelledby="mode">
      <h2 id="mode">Mode</h2>
      <select
        name="mode"
        aria-labelledby="mode"
        value={policy.mode}
        onChange={(event) => {
          const mode = event.currentTarget.value as Policy['mode']; // its options
          change((before) => ({ ...before, mode }));
        }}
      >
        {MODES.map(([mode, words]) => (
          <option value={mode} key={mode}>
            {words}
          </option>
        ))}
      </select>
    </section>
  );
}

const DECISIONS = [
  ['auto', 'runs'],
  ['confirm', 'asks a person'],
  ['deny', 'is denied'],
  ['never', 'is never let run'],
] as const;

function Actions({ bot, policy, change }: Part & { readonly bot: string }) {
  const known = useActions(bot);
  return (
    <section class="card" aria-labelledby="actions">
      <h2 id="actions">Actions</h2>
      <Loaded query={known}>
        {({ actions }) => (
          <>
            {actions.map(({ name }) => {
              const of = Object.hasOwn(policy.actions, name) ? policy.actions[name] : undefined;
              return (
                <div class="line-of" key={name}>
                  <label class="field">
                    {name}
                    <select
                      name={`actions.${name}.decision`}
                      value={of?.decision ?? ''}
                      onChange={(event) => {
                        const decision = event.currentTarget.value as ActionPolicy['decision']; // its options
                        change((before) => ({
                          ...before,
                          actions: { ...before.actions, [name]: { ...(of ?? UNNAMED), decision } },
                        }));
                      }}
                    >
                      {of === undefined && <option value="">not named: every call waits</option>}
                      {DECISIONS.map(([decision, words]) => (
                        <option value={decision} key={decision}>
                          {words}
                        </option>
                      ))}
                    </select>
                    {of !== undefined && of.rules.length > 0 && (
                      <small>
                        <Text>{of.rules.map(ruleWords).join('; ')}</Text>
                      </small>
                    )}
                  </label>
                  <div class="actions">
                    <Tick
                      label="off now"
                      more={name}
                      value={policy.off.includes(name)}
                      onChange={(isOff) =>
                        change((before) => ({
                          ...before,
                          off: isOff ? [...before.off, name] : before.off.filter((one) => one !== name),
                        }))
                      }
                    />
                    <Link
                      class="crumb"
                      href={`/permissions?bot=${encodeURIComponent(bot)}&action=${encodeURIComponent(name)}`}
                    >
                      Thresholds<span class="hidden"> of {name}</span>
                    </Link>
                  </div>
                </div>
              );
            })}
          </>
        )}
      </Loaded>
    </section>
  );
}

const FIELD_LISTS = [
  ['denyFields', 'Closed fields'],
  ['sensitiveFields', 'Sensitive fields: asked about'],
  ['maskFields', 'Masked fields: shown as ••••'],
] as const;

function Objects({ policy, change }: Part) {
  const [name, setName] = useState('');
  const put = (object: string, to: Policy['objects'][string]) =>
    change((before) => ({ ...before, objects: { ...before.objects, [object]: to } }));
  const add = () => {
    if (/^[A-Za-z]\w{0,79}$/.test(name) && !Object.hasOwn(policy.objects, name))
      put(name, { read: true, write: false, denyFields: [], sensitiveFields: [], maskFields: [] });
    setName('');
  };
  return (
    <section class="card" aria-labelledby="objects">
      <h2 id="objects">Objects and fields</h2>
      <p class="note">An object that is not here is closed. Fields by API name, with commas between them.</p>
      {Object.entries(policy.objects).map(([object, of]) => (
        <details class="object" key={object}>
          <summary>
            <Text>{object === '*' ? 'Every object' : object}</Text>{' '}
            <small>
              {object === '*' ? 'rules for fields' : of.write ? 'read and write' : of.read ? 'read' : 'closed'}
            </small>
          </summary>
          <div class="stack">
            {object !== '*' && (
              <div class="actions">
                <Tick
                  label="read"
                  more={object}
                  name={`objects.${object}.read`}
                  value={of.read}
                  onChange={(read) => put(object, { ...of, read })}
                />
                <Tick
                  label="write"
                  more={object}
                  name={`objects.${object}.write`}
                  value={of.write}
                  onChange={(write) => put(object, { ...of, write })}
                />
              </div>
            )}
            <Field
              label="Only these fields"
              help={of.allowFields?.length === 0 ? 'None is open but Id.' : 'Empty: all but those below.'}
            >
              <ListInput
                name={`objects.${object}.allowFields`}
                value={of.allowFields ?? []}
                onChange={(names) => {
                  const { allowFields: _, ...rest } = of;
                  put(object, names.length === 0 ? rest : { ...rest, allowFields: names });
                }}
              />
            </Field>
            {FIELD_LISTS.map(([key, label]) => (
              <Field key={key} label={label}>
                <ListInput
                  name={`objects.${object}.${key}`}
                  value={of[key]}
                  onChange={(names) => put(object, { ...of, [key]: names })}
                />
              </Field>
            ))}
            <div class="actions">
              <button
                type="button"
                class="quiet"
                onClick={() =>
                  change((before) => {
                    const { [object]: _, ...objects } = before.objects;
                    return { ...before, objects };
                  })
                }
              >
                Take {object === '*' ? 'these rules' : object} out
              </button>
            </div>
          </div>
        </details>
      ))}
      <div class="line-of">
        <label class="field">
          Open a further object
          <input
            type="text"
            value={name}
            autocomplete="off"
            spellcheck={false}
            placeholder="Invoice__c"
            onInput={(event) => setName(event.currentTarget.value.trim())}
            onKeyDown={(event) => {
              if (event.key !== 'Enter') return;
              event.preventDefault();
              add();
            }}
          />
        </label>
        <div class="actions">
          <Button onClick={add} why={name === '' ? 'Write the API name of an object first.' : undefined}>
            Add
          </Button>
        </div>
      </div>
    </section>
  );
}

const SOQL = [
  ['maxRows', 'Rows of one query'],
  ['maxChildRows', 'Rows of one subquery'],
  ['rowsPerHour', 'Rows an hour'],
  ['countsPerHour', 'Counts an hour'],
  ['maxLength', 'Characters of a query'],
] as const;
const PROPOSALS = [
  ['maxPending', 'Actions that may wait at once'],
  ['maxHeld', 'Requests of visitors that may wait'],
  ['expiresMinutes', 'Minutes to decide'],
] as const;

function Limits({ policy, change }: Part) {
  return (
    <section class="card" aria-labelledby="limits">
      <h2 id="limits">Limits</h2>
      <div class="pair">
        {SOQL.map(([key, label]) => (
          <NumberField
            key={key}
            label={label}
            name={`soql.${key}`}
            value={policy.soql[key]}
            onChange={(value) =>
              value !== undefined && change((before) => ({ ...before, soql: { ...before.soql, [key]: value } }))
            }
          />
        ))}
        {PROPOSALS.map(([key, label]) => (
          <NumberField
            key={key}
            label={label}
            name={`proposals.${key}`}
            isOptional={key === 'expiresMinutes'}
            value={policy.proposals[key]}
            onChange={(value) =>
              change((before) => {
                const { [key]: _, ...rest } = before.proposals;
                // Without `key`, whose type says itself whether it may be left out.
                return {
                  ...before,
                  proposals: (value === undefined ? rest : { ...rest, [key]: value }) as Policy['proposals'],
                };
              })
            }
          />
        ))}
      </div>
    </section>
  );
}

function Chat({ policy: { chat }, change }: Part) {
  const set = (to: Partial<Policy['chat']>) => change((before) => ({ ...before, chat: { ...before.chat, ...to } }));
  return (
    <section class="card" aria-labelledby="chat">
      <h2 id="chat">Chat page</h2>
      <Tick label="open to visitors" name="chat.page" value={chat.page} onChange={(page) => set({ page })} />
      <Tick
        label="also without a session that the host app signed"
        name="chat.anonymous"
        value={chat.anonymous}
        onChange={(anonymous) => set({ anonymous })}
      />
      <Field
        label="Sites that may show it in a frame"
        help="Origins such as https://shop.example, with commas between them."
      >
        <ListInput
          name="chat.frameOrigins"
          value={chat.frameOrigins}
          onChange={(frameOrigins) => set({ frameOrigins })}
        />
      </Field>
      <NumberField
        label="Messages a minute of one visitor"
        name="chat.perMinute"
        value={chat.perMinute}
        onChange={(perMinute) => perMinute !== undefined && set({ perMinute })}
      />
    </section>
  );
}

function NumberField({
  label,
  name,
  value,
  isOptional = false,
  onChange,
}: {
  readonly label: string;
  readonly name: string;
  readonly value: number | undefined;
  readonly isOptional?: boolean;
  readonly onChange: (value: number | undefined) => void;
}) {
  return (
    <label class="field">
      {label}
      <input
        type="number"
        name={name}
        min={0}
        required={!isOptional}
        value={value ?? ''}
        onInput={(event) => {
          const { value: text, valueAsNumber } = event.currentTarget;
          if (text === '') onChange(undefined);
          else if (!Number.isNaN(valueAsNumber)) onChange(valueAsNumber);
        }}
      />
    </label>
  );
}

function Tick({
  label,
  more,
  name,
  value,
  onChange,
}: {
  readonly label: string;
  /** Heard with the label, where several look alike. */
  readonly more?: string;
  readonly name?: string;
  readonly value: boolean;
  readonly onChange: (value: boolean) => void;
}) {
  return (
    <label class="tick">
      <input type="checkbox" name={name} checked={value} onChange={(event) => onChange(event.currentTarget.checked)} />
      {label}
      {more !== undefined && <span class="hidden"> {more}</span>}
    </label>
  );
}
