import { useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';
import { api, said } from '../api.ts';
import { AskButton } from '../parts/act.tsx';
import { Field, Form } from '../parts/form.tsx';
import { Badge } from '../parts/states.tsx';
import { Text } from '../parts/text.tsx';
import { type Permission, useMay } from '../session.ts';

export type Role = Awaited<ReturnType<typeof readRoles>>['roles'][number];
export const readRoles = () => said(api.GET('/api/roles'));

/** In the words of whoever gives it. */
const GIVES: Readonly<Record<Permission, string>> = {
  CREATE_OAUTH: 'connect a bot to its org',
  READ_INTEGRATIONS: 'look at bots and connections',
  DELETE_INTEGRATIONS: 'disconnect a bot',
  MANAGE_BOTS: 'make and delete bots, and their keys',
  MANAGE_GRANTS: 'grant permissions to a bot',
  MANAGE_POLICY: 'set policy and declared actions',
  MANAGE_MAPPINGS: 'set up the sync',
  MANAGE_OPERATORS: 'make operators and roles',
  DECIDE_PROPOSALS: 'approve and decline',
  READ_LOGS: 'see the log, and what waits',
  READ_VALUES: 'see values of records',
  USE_PLAYGROUND: 'try a bot',
  ERASE_PEOPLE: 'erase what is kept of a person',
};
const ALL = Object.keys(GIVES) as readonly Permission[]; // by their names
/** A role for some bots holds none of these. */
const OF_EVERY_BOT: ReadonlySet<Permission> = new Set(['MANAGE_BOTS', 'MANAGE_OPERATORS', 'ERASE_PEOPLE']);

export const mayOf = ({ permissions, bots }: Pick<Role, 'permissions' | 'bots'>): string =>
  `${permissions.length === ALL.length ? 'everything' : permissions.map((one) => GIVES[one]).join(', ')}${
    bots === undefined ? '' : `; for ${bots.join(', ') || 'no bot'} alone`
  }`;

/** What each role may, and a form for one's own. */
export function Roles({ roles }: { readonly roles: readonly Role[] }) {
  const [edited, edit] = useState<Role>();
  return (
    <>
      <section class="card" aria-labelledby="roles">
        <h2 id="roles">Roles</h2>
        <ul class="stack" aria-labelledby="roles">
          {roles.map((role) => (
            <One key={role.name} role={role} edit={() => edit(role)} />
          ))}
        </ul>
      </section>
      <section class="card" aria-labelledby="make-role">
        <h2 id="make-role">{edited === undefined ? 'Make a role' : `Change ${edited.name}`}</h2>
        <RoleForm key={edited?.name ?? ''} role={edited} done={() => edit(undefined)} />
      </section>
    </>
  );
}

function One({ role, edit }: { readonly role: Role; readonly edit: () => void }) {
  const { name, isShipped, operators } = role;
  return (
    <li>
      <p>
        <strong>{name}</strong> {isShipped && <Badge>shipped</Badge>}{' '}
        <small>{operators === 0 ? 'nobody' : operators === 1 ? '1 operator' : `${operators} operators`}</small>
      </p>
      <p class="note">
        <Text>{mayOf(role)}</Text>
      </p>
      {!isShipped && (
        <div class="actions">
          <button type="button" onClick={edit}>
            Change {name}…
          </button>
          {operators === 0 && (
            <AskButton
              title={`Remove the role ${name}?`}
              yes="Remove it"
              body={<p>Nobody holds it.</p>}
              run={() => said(api.DELETE('/api/roles/{name}', { params: { path: { name } } }))}
              done={`The role ${name} is removed.`}
              changes={['roles']}
            >
              Remove {name}…
            </AskButton>
          )}
        </div>
      )}
    </li>
  );
}

function RoleForm({ role, done }: { readonly role: Role | undefined; readonly done: () => void }) {
  const enabled = useMay('READ_INTEGRATIONS') === undefined;
  const bots = useQuery({ queryKey: ['bots'], queryFn: () => said(api.GET('/api/bots')), enabled });
  const [isForSome, setForSome] = useState(role?.bots !== undefined);
  // Those that the role is for stand here, too, where their bot is gone.
  const names = [...new Set([...(role?.bots ?? []), ...(bots.data?.bots ?? []).map(({ name }) => name)])];
  return (
    <Form
      button={role === undefined ? 'Make the role' : 'Save the role'}
      changes={['roles', 'operators', 'session']}
      run={(fields) => {
        const name = role?.name ?? String(fields.get('name')).trim();
        const chosen = isForSome ? { bots: fields.getAll('bots').map(String) } : {};
        const body = { permissions: fields.getAll('permissions').map(String), ...chosen };
        return said(api.PUT('/api/roles/{name}', { params: { path: { name } }, body }));
      }}
      done={({ role: name }) => `The role ${name} is saved. It holds at the next request.`}
      after={done}
      beside={
        role && (
          <button type="button" onClick={done}>
            Leave it as it is
          </button>
        )
      }
    >
      {role === undefined && (
        <Field label="What it is called" help="Small letters, digits and dashes.">
          <input
            type="text"
            name="name"
            required
            maxLength={40}
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
          />
        </Field>
      )}
      <fieldset>
        <legend>For</legend>
        <ul class="ticks">
          <li>
            <label>
              <input type="radio" name="for" checked={!isForSome} onChange={() => setForSome(false)} /> every bot
            </label>
          </li>
          <li>
            <label>
              <input type="radio" name="for" checked={isForSome} onChange={() => setForSome(true)} /> these alone
            </label>
          </li>
          {isForSome &&
            names.map((name) => (
              <li key={name}>
                <label>
                  <input
                    type="checkbox"
                    name="bots"
                    value={name}
                    defaultChecked={role?.bots?.includes(name) ?? false}
                  />{' '}
                  <Text>{name}</Text>
                </label>
              </li>
            ))}
        </ul>
      </fieldset>
      <fieldset>
        <legend>May</legend>
        <ul class="ticks">
          {ALL.filter((one) => !isForSome || !OF_EVERY_BOT.has(one)).map((one) => (
            <li key={one}>
              <label>
                <input
                  type="checkbox"
                  name="permissions"
                  value={one}
                  defaultChecked={role?.permissions.includes(one) ?? false}
                />
                <span>
                  {GIVES[one]}
                  <small>{one}</small>
                </span>
              </label>
            </li>
          ))}
        </ul>
      </fieldset>
    </Form>
  );
}
