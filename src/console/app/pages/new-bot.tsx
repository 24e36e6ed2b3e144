import { useState } from 'preact/hooks';
import { Link } from 'wouter-preact';
import { api, said } from '../api.ts';
import { Field, Form, Once } from '../parts/form.tsx';
import { Page } from '../parts/page.tsx';
import { Notice } from '../parts/states.tsx';
import { useMay, useSession } from '../session.ts';

const PROFILES = [
  ['internal', 'Internal: for colleagues, all actions; risky ones ask'],
  ['public', 'Public: for strangers on a site; leads and the status of their own account'],
  ['read-only', 'Read-only: looks, and writes nothing'],
  ['', 'Nothing granted yet: I choose myself'],
] as const;

export function NewBot() {
  const [made, setMade] = useState<{ bot: string; key: string; hostKey: string }>();
  const why = useMay('MANAGE_BOTS');
  if (made !== undefined) return <Made {...made} />;
  return (
    <Page title="New bot" crumbs={[{ href: '/bots', label: 'Bots' }]}>
      <section class="card">
        {why && <p class="note">{why}</p>}
        <Form
          button="Make the bot"
          why={why}
          changes={['bots']}
          after={setMade}
          run={(fields) => {
            const profile = PROFILES.find(([value]) => value === fields.get('profile'))?.[0];
            const name = String(fields.get('name'));
            return said(
              api.POST('/api/bots', {
                body: { name, ...(profile === undefined || profile === '' ? {} : { profile }) },
              }),
            );
          }}
        >
          <Field label="Name" help="Small letters, digits and dashes. It stands in addresses and keys.">
            <input
              type="text"
              name="name"
              required
              maxLength={60}
              autocomplete="off"
              autocapitalize="off"
              spellcheck={false}
            />
          </Field>
          <fieldset>
            <legend>What it begins with</legend>
            {PROFILES.map(([value, words], at) => (
              <label class="choice" key={value}>
                <input type="radio" name="profile" value={value} defaultChecked={at === 0} />
                <span>{words}</span>
              </label>
            ))}
          </fieldset>
        </Form>
      </section>
    </Page>
  );
}

function Made({ bot, key, hostKey }: { readonly bot: string; readonly key: string; readonly hostKey: string }) {
  // To the simulated org a bot is connected by itself.
  const { isSimulated } = useSession();
  return (
    <Page title={`${bot} is there`} crumbs={[{ href: '/bots', label: 'Bots' }]}>
      <Once title="Agent key" secret={key} note="For the model and its MCP client (GATEHOUSE_BOT_KEY)." />
      <Once title="Host key" secret={hostKey} note="For your own app alone; never give it to a model." />
      <Notice kind="warn" title="Both are shown this once." />
      <div class="actions">
        {!isSimulated && (
          <Link class="button primary" href={`/connect/${encodeURIComponent(bot)}`}>
            Connect it
          </Link>
        )}
        <Link class={isSimulated ? 'button primary' : 'button'} href={`/bots/${encodeURIComponent(bot)}`}>
          Look at it
        </Link>
      </div>
    </Page>
  );
}
