import { useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';
import { api, said } from '../api.ts';
import { ActButton, AskButton } from '../parts/act.tsx';
import { Field, Form, Once } from '../parts/form.tsx';
import { Page } from '../parts/page.tsx';
import { Badge, Loaded } from '../parts/states.tsx';
import { Text } from '../parts/text.tsx';
import { Moment } from '../parts/time.tsx';
import { useMay, useSession } from '../session.ts';
import { mayOf, type Role, Roles, readRoles } from './roles.tsx';

type Operator = Awaited<ReturnType<typeof readOperators>>['operators'][number];
const readOperators = () => said(api.GET('/api/operators'));

interface Shown {
  readonly title: string;
  readonly secret: string;
  readonly note: string;
}

/** Who may do what here, and how they get in. */
export function Operators() {
  const why = useMay('MANAGE_OPERATORS');
  const [shown, show] = useState<Shown>();
  return (
    <Page
      title="Operators"
      crumbs={[{ href: '/settings', label: 'Settings' }]}
      lead={
        <>
          People with a session or a key. A key is for the terminal (<code>GATEHOUSE_OPERATOR_KEY</code>); a browser
          signs in by link.
        </>
      }
    >
      {why === undefined ? <ByRole shown={shown} show={show} /> : <p class="note">{why}</p>}
    </Page>
  );
}

function ByRole(given: Omit<Parameters<typeof List>[0], 'roles'>) {
  const query = useQuery({ queryKey: ['roles'], queryFn: readRoles });
  return <Loaded query={query}>{({ roles }) => <List {...given} roles={roles} />}</Loaded>;
}

function List({
  shown,
  show,
  roles,
}: {
  readonly roles: readonly Role[];
  readonly shown: Shown | undefined;
  readonly show: (shown: Shown | undefined) => void;
}) {
  const query = useQuery({ queryKey: ['operators'], queryFn: readOperators });
  return (
    <>
      {shown && <Once key={shown.secret} {...shown} />}
      <Loaded query={query}>
        {({ operators }) => (
          <ul class="cards" aria-label="Operators">
            {operators.map((one) => (
              <Card key={one.name} operator={one} roles={roles} show={show} />
            ))}
          </ul>
        )}
      </Loaded>
      <section class="card" aria-labelledby="make">
        <h2 id="make">Make an operator</h2>
        <Form
          button="Make, and show the key once"
          changes={['operators']}
          run={(fields) => {
            const body = { name: String(fields.get('name')).trim(), role: String(fields.get('role')) };
            return said(api.POST('/api/operators', { body }));
          }}
          after={({ operator, role, key }) =>
            show({
              title: `${operator} is now ${role}. The key, shown this once:`,
              secret: key,
              note: 'Keep it from every bot and model.',
            })
          }
        >
          <Field label="Name" help="Letters, digits, dot, dash, underscore or @.">
            <input
              type="text"
              name="name"
              required
              maxLength={64}
              autocomplete="off"
              autocapitalize="off"
              spellcheck={false}
            />
          </Field>
          <Field label="Role">
            <select name="role">
              {roles.map((role) => (
                <option key={role.name} value={role.name} selected={role.name === 'approver'}>
                  {role.name}: {mayOf(role)}
                </option>
              ))}
            </select>
          </Field>
        </Form>
      </section>
      <Roles roles={roles} />
    </>
  );
}

function Card({
  operator: { name, role, keys, createdAt },
  roles,
  show,
}: {
  readonly operator: Operator;
  readonly roles: readonly Role[];
  readonly show: (shown: Shown) => void;
}) {
  const isSelf = useSession().operator.name === name;
  const path = { params: { path: { name } } };
  const own = roles.find((one) => one.name === role);
  return (
    <li class="card">
      <header>
        <h2>
          <Text>{name}</Text>
          {isSelf && <small> (you)</small>}
        </h2>
        <Badge>{role}</Badge>
      </header>
      <p class="note">
        <Text>{own === undefined ? 'nothing: this role is gone' : mayOf(own)}</Text> ·{' '}
        {keys === 0 ? 'no key' : keys === 1 ? '1 key' : `${keys} keys`} · since <Moment at={createdAt} />
      </p>
      <div class="actions">
        <ActButton
          run={() => said(api.POST('/api/operators/{name}/sign-in-link', { ...path, body: {} }))}
          after={({ link }) =>
            show({
              title: `Signs ${name} in once, within ten minutes:`,
              secret: link,
              note: 'Send it to them. Whoever opens it first is in.',
            })
          }
        >
          Sign-in link
        </ActButton>
        <ActButton
          run={() => said(api.POST('/api/operators/{name}/keys', { ...path, body: {} }))}
          changes={['operators']}
          after={({ key }) =>
            show({ title: `A new key of ${name}, shown this once:`, secret: key, note: 'Earlier keys stay valid.' })
          }
        >
          New key
        </ActButton>
        {keys > 0 && (
          <AskButton
            title={`Revoke the keys of ${name}?`}
            yes="Revoke them"
            body={<p>Whatever uses one of them is refused from now on. Browsers that are signed in stay so.</p>}
            run={() => said(api.DELETE('/api/operators/{name}/keys', path))}
            done={({ revoked }) => `Keys of ${name} revoked: ${revoked}.`}
            changes={['operators']}
          >
            Revoke keys…
          </AskButton>
        )}
        {roles
          .filter((one) => one.name !== role)
          .map((one) => (
            <AskButton
              key={one.name}
              kind=""
              title={`Make ${name} ${one.name}?`}
              yes={`Make ${one.name}`}
              no={`Stay ${role}`}
              body={
                <p>
                  From then on {isSelf ? 'you' : <Text>{name}</Text>}: <Text>{mayOf(one)}</Text>. It holds at the next
                  request.
                </p>
              }
              run={() => said(api.PUT('/api/operators/{name}', { ...path, body: { role: one.name } }))}
              done={`${name} is now ${one.name}.`}
              changes={['operators', 'roles', 'session']}
            >
              Make {one.name}…
            </AskButton>
          ))}
        {!isSelf && (
          <AskButton
            title={`Remove ${name}?`}
            yes="Remove"
            body={
              <p>Sessions, links and keys end at once, and pages that are open. What they decided stays in the log.</p>
            }
            run={() => said(api.DELETE('/api/operators/{name}', path))}
            done={`${name} is removed; sessions, links and keys have ended.`}
            changes={['operators']}
          >
            Remove…
          </AskButton>
        )}
      </div>
    </li>
  );
}
