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

type Operator = Awaited<ReturnType<typeof readOperators>>['operators'][number];
type Role = Operator['role'];
const readOperators = () => said(api.GET('/api/operators'));

const MAY: Readonly<Record<Role, string>> = {
  admin: 'connects orgs, grants, sets policy, makes operators, and decides',
  approver: 'decides what waits',
  viewer: 'looks',
};
const ROLES = ['admin', 'approver', 'viewer'] as const satisfies readonly Role[];

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
      {why === undefined ? <List shown={shown} show={show} /> : <p class="note">{why}</p>}
    </Page>
  );
}

function List({
  shown,
  show,
}: {
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
              <Card key={one.name} operator={one} show={show} />
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
            const role = ROLES.find((one) => one === fields.get('role')) ?? 'viewer';
            return said(api.POST('/api/operators', { body: { name: String(fields.get('name')).trim(), role } }));
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
              {ROLES.map((role) => (
                <option key={role} value={role} selected={role === 'approver'}>
                  {role}: {MAY[role]}
                </option>
              ))}
            </select>
          </Field>
        </Form>
      </section>
    </>
  );
}

function Card({
  operator: { name, role, keys, createdAt },
  show,
}: {
  readonly operator: Operator;
  readonly show: (shown: Shown) => void;
}) {
  const isSelf = useSession().operator.name === name;
  const path = { params: { path: { name } } };
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
        {MAY[role]} · {keys === 0 ? 'no key' : keys === 1 ? '1 key' : `${keys} keys`} · since <Moment at={createdAt} />
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
        {ROLES.filter((one) => one !== role).map((one) => (
          <AskButton
            key={one}
            kind=""
            title={`Make ${name} ${one}?`}
            yes={`Make ${one}`}
            no={`Stay ${role}`}
            body={
              <p>
                From then on {isSelf ? 'you' : <Text>{name}</Text>}: {MAY[one]}. It holds at the next request.
              </p>
            }
            run={() => said(api.PUT('/api/operators/{name}', { ...path, body: { role: one } }))}
            done={`${name} is now ${one}.`}
            changes={['operators', 'session']}
          >
            Make {one}…
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
