import { useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';
import { api, said } from '../api.ts';
import { ActButton, AskButton } from '../parts/act.tsx';
import { Fact, Facts } from '../parts/facts.tsx';
import { Field, Form, Once } from '../parts/form.tsx';
import { StandingNotices } from '../parts/notices.tsx';
import { Page } from '../parts/page.tsx';
import { Badge, Loaded, Notice } from '../parts/states.tsx';
import { personName, Text, Words } from '../parts/text.tsx';
import { Moment } from '../parts/time.tsx';
import { useMayEverywhere } from '../session.ts';

type Webhook = Awaited<ReturnType<typeof readWebhook>>;
const readWebhook = () => said(api.GET('/api/notices/webhook'));

const KINDS = [
  ['approval_waits', 'Something waits for a person'],
  ['reconnect_needed', 'A bot must be reconnected'],
  ['breaker_open', 'Salesforce does not answer, calls are paused'],
  ['budget_near', 'API calls of the day at 80 % and at 95 %'],
  ['schema_drift', 'The org has changed under a bot'],
  ['sync_problem', 'The sync has a problem'],
  ['webhook_failing', 'The webhook of a bot fails'],
  ['audit_broken', 'The log does not hold'],
] as const;
const SHAPES = [
  ['gatehouse', 'JSON, signed (Standard Webhooks)'],
  ['slack', 'Slack, incoming webhook'],
  ['teams', 'Microsoft Teams, incoming webhook'],
] as const;

/** Where notices go beside the console. */
export function NoticeSettings() {
  const query = useQuery({ queryKey: ['notices', 'webhook'], queryFn: readWebhook });
  const [secret, setSecret] = useState<string>();
  return (
    <Page
      title="Notices"
      lead="The overview shows what needs somebody. A webhook tells it where your people already look: once when it begins, once when it ends."
    >
      <StandingNotices />
      <Loaded query={query}>
        {(webhook) => (
          <>
            {webhook.state !== 'none' && <Present of={webhook} />}
            {secret && (
              <Once
                title="The signing secret, shown this once:"
                secret={secret}
                note="Your receiver checks webhook-signature with it (Standard Webhooks). Slack and Teams need none."
              />
            )}
            <Setting key={webhook.state === 'none' ? '' : webhook.setAt} of={webhook} onSecret={setSecret} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Present({ of }: { readonly of: Extract<Webhook, { state: 'on' | 'off' }> }) {
  const why = useMayEverywhere('MANAGE_POLICY');
  return (
    <section class="card" aria-labelledby="present">
      <header>
        <h2 id="present">The webhook</h2>
        {of.state === 'off' ? (
          <Badge kind="bad">switched off</Badge>
        ) : of.problem === null ? (
          <Badge kind="good">on</Badge>
        ) : (
          <Badge kind="warn">failing</Badge>
        )}
      </header>
      {of.problem !== null && (
        <Notice kind={of.state === 'off' ? 'bad' : 'warn'} title={<Words>{of.problem}</Words>}>
          {of.state === 'off' ? (
            <p>Nothing is sent any more. Save it below to switch it on again.</p>
          ) : (
            <p>
              It is tried again by itself, since {of.failingSince && <Moment at={of.failingSince} />}; after a day it is
              switched off.
            </p>
          )}
        </Notice>
      )}
      <Facts>
        <Fact name="Address">
          <code>
            {of.host}/…{of.lastFour}
          </code>
        </Fact>
        <Fact name="Form">{SHAPES.find(([name]) => name === of.shape)?.[1]}</Fact>
        <Fact name="Last sent">
          {of.lastSentAt ? <Moment at={of.lastSentAt} /> : <span class="empty">nothing yet</span>}
        </Fact>
        <Fact name="Set by">
          <Text>{personName(of.setBy)}</Text>, <Moment at={of.setAt} />
        </Fact>
      </Facts>
      <div class="actions">
        <TestButton why={why} />
        <AskButton
          why={why}
          title="Remove the webhook?"
          yes="Remove"
          body={<p>Notices go nowhere then; the console shows them as before. The address is forgotten.</p>}
          run={() => said(api.DELETE('/api/notices/webhook'))}
          done="The webhook is removed."
          changes={['notices']}
        >
          Remove…
        </AskButton>
      </div>
    </section>
  );
}

function TestButton({ why }: { readonly why: string | undefined }) {
  const [problem, setProblem] = useState<string | null>(null);
  return (
    <>
      <ActButton
        why={why}
        run={() => said(api.POST('/api/notices/webhook/test'))}
        after={(answer) => setProblem(answer.problem)}
        done={({ delivered }) => (delivered ? 'The test was taken.' : undefined)}
        changes={['notices']}
      >
        Send a test
      </ActButton>
      {problem !== null && (
        <Notice kind="bad" title="The test was not taken.">
          <Words>{problem}</Words>
        </Notice>
      )}
    </>
  );
}

function Setting({ of, onSecret }: { readonly of: Webhook; readonly onSecret: (secret: string | undefined) => void }) {
  const why = useMayEverywhere('MANAGE_POLICY');
  const isNew = of.state === 'none';
  const chosen: readonly string[] = isNew ? KINDS.map(([kind]) => kind) : of.kinds;
  if (why !== undefined)
    return (
      <Notice kind="warn" title="You can look, but not change it.">
        {why}
      </Notice>
    );
  return (
    <section class="card" aria-labelledby="setting">
      <h2 id="setting">{isNew ? 'Set a webhook' : 'Change it'}</h2>
      <Form
        button="Save"
        run={(fields) => save(fields)}
        done="Saved. Send a test to see that it arrives."
        changes={['notices']}
        after={(answer) => onSecret(answer.secret)}
      >
        <Field
          label="Address"
          help={
            isNew
              ? 'It starts with https. Whoever knows it can write there, so it is stored encrypted and never shown again.'
              : 'Leave it empty to keep the present one, which is never shown whole.'
          }
        >
          <input type="url" name="url" required={isNew} autocomplete="off" spellcheck={false} maxLength={2000} />
        </Field>
        <Field label="Form">
          <select name="shape">
            {SHAPES.map(([name, label]) => (
              <option key={name} value={name} selected={!isNew && of.shape === name}>
                {label}
              </option>
            ))}
          </select>
        </Field>
        <fieldset class="two">
          <legend>Tell it when</legend>
          {KINDS.map(([kind, label]) => (
            <label class="choice" key={kind}>
              <input type="checkbox" name="kinds" value={kind} defaultChecked={chosen.includes(kind)} />
              <span>{label}</span>
            </label>
          ))}
        </fieldset>
        <p class="note">
          A message names the bot, the action and a count, never values of records or words of a visitor. More of one
          kind within five minutes is one message.
        </p>
      </Form>
    </section>
  );
}

function save(fields: FormData) {
  const url = String(fields.get('url') ?? '').trim();
  const shape = SHAPES.find(([name]) => name === fields.get('shape'))?.[0] ?? 'gatehouse';
  const ticked = fields.getAll('kinds');
  const kinds = KINDS.flatMap(([kind]) => (ticked.includes(kind) ? [kind] : []));
  const body = { ...(url === '' ? {} : { url }), shape, kinds };
  return said(api.PUT('/api/notices/webhook', { body }));
}
