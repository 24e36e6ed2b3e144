import type { Action } from '../domain/action.ts';
import type { GatehouseError } from '../domain/errors.ts';
import type { BotRow } from '../ports/store.ts';
import { type Html, html } from './html.ts';
import { notice } from './layout.ts';
import { salesforceSaid } from './problem.ts';

/** The page before Salesforce's own login: what the bot will read and write, and what the user must be allowed. */

export interface ConnectForm {
  readonly sandbox: boolean;
  readonly loginUrl: string;
}

export function connectView(
  bot: BotRow,
  csrf: string,
  {
    isSimulated,
    actions,
    form,
    callback,
    salesforce: { loginUrl, extraHosts },
    problem,
  }: {
    readonly isSimulated: boolean;
    readonly actions: readonly Action[];
    readonly form: ConnectForm;
    /** What the app in the org must name as its callback, exactly. */
    readonly callback: string;
    readonly salesforce: { readonly loginUrl: string; readonly extraHosts: readonly string[] };
    readonly problem?: GatehouseError | undefined;
  },
): Html {
  const { reads, writes, needs } = reachOf(bot, actions);
  const login = new URL(loginUrl).host;
  return html`<div class="head">
  <p class="eyebrow"><a class="crumb" href="/bots/${encodeURIComponent(bot.name)}">${bot.name}</a></p>
  <h1>Connect <bdi>${bot.name}</bdi> to ${isSimulated ? 'the simulated org' : 'Salesforce'}</h1>
  <p class="lead">${isSimulated ? 'No Salesforce app is configured, so this connects to the org that Gatehouse brings along.' : 'Next, Salesforce asks you to log in and to allow access. Gatehouse never sees your password.'}</p>
</div>
${problem && notice('bad', problem.message, html`<p>${problem.next}</p>${salesforceSaid(problem)}`)}
<section class="card" aria-labelledby="reach">
  <h2 id="reach">What this bot will reach</h2>
  <dl class="facts">
    <dt>Reads</dt><dd>${chips(reads)}</dd>
    <dt>Writes</dt><dd>${chips(writes)}</dd>
  </dl>
  <p class="note">This is what its grants and its policy allow today. Risky writes still wait for a person here.</p>
</section>
<section class="card" aria-labelledby="needs">
  <h2 id="needs">What the Salesforce user needs</h2>
  <ul>${needs.map((need) => html`<li>${need}</li>`)}</ul>
  <p class="note">Best is a user of its own with these rights and no more: Salesforce's own permissions stay the outer wall.</p>
</section>
<form class="card" method="post" action="/connect/${encodeURIComponent(bot.name)}">
  <input type="hidden" name="csrf" value="${csrf}">
  ${
    !isSimulated &&
    html`${
      // A login page that an operator configured knows which org is behind it.
      login === 'login.salesforce.com' &&
      html`<label class="choice"><input type="checkbox" name="sandbox" value="on"${form.sandbox && html` checked`}><span>This is a sandbox<small>Log in at test.salesforce.com instead of login.salesforce.com.</small></span></label>`
    }
  <label class="field">My Domain, if you have one
    <input type="text" name="loginUrl" value="${form.loginUrl}" inputmode="url" autocomplete="off" autocapitalize="off" spellcheck="false" placeholder="yourcompany.my.salesforce.com" aria-describedby="domain-help">
    <small id="domain-help">Leave empty to log in at ${login}. Only Salesforce's own hosts ${extraHosts.length > 0 && html`and ${extraHosts.join(', ')} `}are accepted.</small>
  </label>`
  }
  ${!isSimulated && html`<p class="note">Callback URL of the app in your org, exactly: <code>${callback}</code></p>`}
  <div class="actions"><button class="primary" data-busy="Taking you there…">${isSimulated ? 'Connect the simulated org' : 'Continue to Salesforce'}</button><a class="button" href="/bots/${encodeURIComponent(bot.name)}">Not now</a></div>
</form>`;
}

/** Objects by what is granted, as far as policy opens them. */
function reachOf(
  { grants, policy }: BotRow,
  actions: readonly Action[],
): { reads: string[]; writes: string[]; needs: Html[] } {
  const open = Object.entries(policy.objects).filter(([object]) => object !== '*');
  const readable = open.filter(([, rule]) => rule.read).map(([object]) => object);
  const writable = new Set(open.filter(([, rule]) => rule.write).map(([object]) => object));
  const touched = actions.filter(({ permission }) => grants.includes(permission)).map(({ touches }) => touches);
  const pick = (kind: 'reads' | 'creates' | 'edits') => [...new Set(touched.flatMap((of) => of[kind] ?? []))].sort();
  const reads = pick('reads').includes('*')
    ? readable.sort()
    : pick('reads').filter((object) => readable.includes(object));
  const creates = pick('creates').filter((object) => writable.has(object));
  const edits = pick('edits').filter((object) => writable.has(object));
  const needs = [
    html`The system permission <strong>API Enabled</strong>.`,
    reads.length > 0 && html`<strong>Read</strong> on ${reads.join(', ')}, and on the fields the bot should see.`,
    creates.length > 0 && html`<strong>Create</strong> on ${creates.join(', ')}.`,
    edits.length > 0 && html`<strong>Edit</strong> on ${edits.join(', ')}.`,
    html`Access to the connected app: an admin installs the External Client App in the org, or pre-authorizes this user.`,
  ];
  return {
    reads,
    writes: [...new Set([...creates, ...edits])].sort(),
    needs: needs.filter((need): need is Html => need !== false),
  };
}

function chips(names: readonly string[]): Html {
  if (names.length === 0) return html`<span class="empty">nothing</span>`;
  return html`<ul class="chips">${names.map((name) => html`<li>${name}</li>`)}</ul>`;
}
