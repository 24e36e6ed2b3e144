import { useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';
import { api, queries, said } from '../api.ts';
import { useAct } from '../parts/act.tsx';
import { Button, Fieldset, UNCHANGED } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { at, Changes } from '../parts/policy-draft.tsx';
import type { BotRow } from '../parts/standing.ts';
import { Loaded, Notice, Problem } from '../parts/states.tsx';
import { tell } from '../parts/tell.tsx';
import { Text, Words } from '../parts/text.tsx';
import { useMay } from '../session.ts';

type Read = Awaited<ReturnType<typeof readProfiles>>;
type Profile = Read['profiles'][number];
const readProfiles = (bot: string) => said(api.GET('/api/bots/{bot}/profiles', at(bot)));

const ABOUT: { readonly [N in Profile['name']]: string } = {
  public: 'Visitors: makes leads, looks up their own account.',
  internal: 'Colleagues: everything there is.',
  sync: 'Keeps people and cases in step, and nothing else.',
  'read-only': 'Looks up accounts.',
};

/** A shipped profile for one bot: what it would change is looked at first. */
export function ProfilePanel({ bot, onClose }: { readonly bot: BotRow; readonly onClose: () => void }) {
  const query = useQuery({ queryKey: ['policy', bot.name, 'profiles'], queryFn: () => readProfiles(bot.name) });
  return (
    <Dialog title={`Profile for ${bot.name}`} onClose={onClose}>
      <Loaded query={query}>{(read) => <Choose bot={bot} read={read} onClose={onClose} />}</Loaded>
    </Dialog>
  );
}

function Choose({ bot, read, onClose }: { readonly bot: BotRow; readonly read: Read; readonly onClose: () => void }) {
  const mayPolicy = useMay('MANAGE_POLICY');
  const mayGrant = useMay('MANAGE_GRANTS');
  const why = mayPolicy ?? mayGrant;
  const [name, setName] = useState<Profile['name']>();
  const chosen = read.profiles.find((one) => one.name === name);
  const isNothing = chosen !== undefined && chosen.grant.length + chosen.revoke.length + chosen.changes.length === 0;
  const save = useAct({
    async run() {
      if (chosen === undefined) throw new Error('No profile was chosen.');
      const body = { profile: chosen.name, revision: read.revision };
      try {
        return await said(api.PUT('/api/bots/{bot}/profile', { ...at(bot.name), body }));
      } catch (error) {
        // What somebody else saved meanwhile is in the difference that is shown now.
        await queries.invalidateQueries({ queryKey: ['policy', bot.name] });
        throw error;
      }
    },
    changes: ['policy', 'bots'],
    after({ revision }) {
      tell(`${bot.name} has the profile ${chosen?.name ?? ''} now, saved as revision ${revision}.`);
      onClose();
    },
  });
  return (
    <form
      class="stack"
      aria-busy={save.isBusy}
      onSubmit={(event) => {
        event.preventDefault();
        if (chosen !== undefined && !isNothing) save.go();
      }}
    >
      <p class="note">
        It sets what the bot is granted, and what each action meets as in a new bot. Open objects and fields, limits,
        switches and the audience ({bot.audience}) stay as they are.
      </p>
      {why && <p class="note">{why}</p>}
      <Fieldset kind="choices" why={why}>
        <legend>Profile</legend>
        {read.profiles.map((one) => (
          <label class="choice" key={one.name}>
            <input type="radio" name="profile" checked={one.name === name} onChange={() => setName(one.name)} />
            <span>
              {one.name}
              <small>{ABOUT[one.name]}</small>
            </span>
          </label>
        ))}
      </Fieldset>
      {chosen && <Difference of={chosen} isNothing={isNothing} />}
      {save.error && <Problem error={save.error} />}
      <div class="actions keep">
        <Button
          type="submit"
          kind="primary"
          why={why ?? (chosen === undefined ? 'Choose a profile first.' : isNothing ? UNCHANGED : undefined)}
        >
          Save as revision {read.revision + 1}
        </Button>
        <button type="button" onClick={onClose}>
          Cancel
        </button>
      </div>
    </form>
  );
}

function Difference({
  of: { grant, revoke, changes, warnings },
  isNothing,
}: {
  readonly of: Profile;
  readonly isNothing: boolean;
}) {
  if (isNothing) return <p class="empty">The bot is like this already.</p>;
  return (
    <>
      {grant.length > 0 && (
        <p>
          Granted: <Text>{grant.join(', ')}</Text>.
        </p>
      )}
      {revoke.length > 0 && (
        <p>
          Taken back: <Text>{revoke.join(', ')}</Text>.
        </p>
      )}
      {changes.length > 0 && <Changes of={changes} />}
      {warnings.map((words) => (
        <Notice kind="warn" key={words} title={<Words>{words}</Words>} />
      ))}
    </>
  );
}
