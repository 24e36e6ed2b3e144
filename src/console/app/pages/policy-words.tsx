import { Field } from '../parts/form.tsx';
import { type Part, UNNAMED } from '../parts/policy-draft.tsx';
import { useActions } from '../parts/standing.ts';
import { Loaded } from '../parts/states.tsx';
import { count } from '../parts/text.tsx';

/** The bot's own words: what people and the model read beside ours. They decide nothing. */

const MOST = { name: 60, greeting: 300, instructions: 2_000, whenToUse: 300, starters: 6 } as const;

export function Words({ bot, policy, change }: Part & { readonly bot: string }) {
  const { words } = policy;
  const set = (key: 'name' | 'greeting' | 'instructions', text: string) =>
    change((before) => {
      const { [key]: _, ...rest } = before.words;
      return { ...before, words: text === '' ? rest : { ...rest, [key]: text } };
    });
  const line = (key: 'name' | 'greeting') => ({
    type: 'text',
    name: `words.${key}`,
    maxLength: MOST[key],
    value: words[key] ?? '',
    onInput: (event: { currentTarget: HTMLInputElement }) => set(key, event.currentTarget.value),
  });
  return (
    <section class="card" aria-labelledby="words">
      <h2 id="words">Its own words</h2>
      <p class="note">
        Read by people on its chat page and by the model, after ours. They change no permission, no policy and no
        confirmation.
      </p>
      <Field label="Name on the chat page" help={`Empty: ${bot}.`}>
        <input {...line('name')} />
      </Field>
      <Field label="Greeting">
        <input {...line('greeting')} />
      </Field>
      <Field label="Examples to begin with" help={`One a line, ${MOST.starters} at most.`}>
        <textarea
          name="words.starters"
          rows={3}
          value={words.starters.join('\n')}
          // Once it is left: an empty line that is being typed is none.
          onChange={(event) => {
            const starters = event.currentTarget.value.split('\n').flatMap((one) => one.trim() || []);
            change((before) => ({ ...before, words: { ...before.words, starters } }));
          }}
        />
      </Field>
      <Field
        label="Instructions for the model"
        help={`Plain text, in chat and over MCP. ${count(words.instructions?.length ?? 0)} of ${count(MOST.instructions)} characters.`}
      >
        <textarea
          name="words.instructions"
          rows={6}
          maxLength={MOST.instructions}
          value={words.instructions ?? ''}
          onInput={(event) => set('instructions', event.currentTarget.value)}
        />
      </Field>
      <WhenToUse bot={bot} policy={policy} change={change} />
    </section>
  );
}

/** After the description of each tool. */
function WhenToUse({ bot, policy, change }: Part & { readonly bot: string }) {
  const known = useActions(bot);
  return (
    <details class="object">
      <summary>
        When to use each action <small>after our description of it</small>
      </summary>
      <Loaded query={known}>
        {({ actions }) => (
          <div class="stack">
            {actions.map(({ name }) => {
              const of = policy.actions[name];
              return (
                <Field key={name} label={name}>
                  <input
                    type="text"
                    name={`actions.${name}.whenToUse`}
                    maxLength={MOST.whenToUse}
                    value={of?.whenToUse ?? ''}
                    onInput={(event) => {
                      const text = event.currentTarget.value;
                      const { whenToUse: _, ...rest } = of ?? UNNAMED;
                      const next = text === '' ? rest : { ...rest, whenToUse: text };
                      change((before) => ({ ...before, actions: { ...before.actions, [name]: next } }));
                    }}
                  />
                </Field>
              );
            })}
          </div>
        )}
      </Loaded>
    </details>
  );
}
