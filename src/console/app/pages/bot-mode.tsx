import { api, said } from '../api.ts';
import { AskButton } from '../parts/act.tsx';
import { Field, Form } from '../parts/form.tsx';
import { at } from '../parts/policy-draft.tsx';
import { useMay } from '../session.ts';

export const MODES = [
  ['automatic', 'Automatic: as its policy says for each action'],
  ['ask', 'Ask: every write waits for a person'],
  ['read-only', 'Read-only: nothing is written'],
  ['off', 'Off: every call is refused'],
] as const;
type Mode = (typeof MODES)[number][0];

const setMode = (bot: string, mode: Mode) => said(api.PUT('/api/bots/{bot}/mode', { ...at(bot), body: { mode } }));

/** The kill switch of a whole bot. */
export function StopButton({ name, mode }: { readonly name: string; readonly mode: Mode | undefined }) {
  const why = useMay('MANAGE_POLICY');
  if (mode === undefined || mode === 'off') return null;
  return (
    <AskButton
      why={why}
      title={`Stop ${name}?`}
      yes="Stop it"
      no="Let it run"
      body={<p>Every call is refused from the next one on, reads too. What waits for a person stays waiting.</p>}
      run={() => setMode(name, 'off')}
      done={`${name} is stopped.`}
      changes={['bots', 'policy']}
    >
      Stop the bot
    </AskButton>
  );
}

export function ModeForm({ name, mode }: { readonly name: string; readonly mode: Mode }) {
  const why = useMay('MANAGE_POLICY');
  return (
    <Form
      button="Set the mode"
      run={(fields) => setMode(name, String(fields.get('mode')) as Mode)} // its options
      done={(saved) => `${name} is in the mode ${saved.mode} from the next call on.`}
      changes={['bots', 'policy']}
      why={why}
    >
      <Field label="Mode" help={why}>
        <select name="mode" defaultValue={mode} disabled={why !== undefined}>
          {MODES.map(([one, words]) => (
            <option value={one} key={one} selected={one === mode}>
              {words}
            </option>
          ))}
        </select>
      </Field>
    </Form>
  );
}
