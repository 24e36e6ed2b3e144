import type { ConnectionStatus } from '../ports/salesforce.ts';
import type { BotRow } from '../ports/store.ts';
import { type ConnectionActions, connectionCard, ENVIRONMENTS, STATE_BADGE } from './connection-card.ts';
import { type Html, html } from './html.ts';
import { notice } from './layout.ts';

export interface BotSummary {
  readonly bot: BotRow;
  readonly status: ConnectionStatus;
}

export function homeView(bots: readonly BotSummary[], waiting: number): Html {
  return html`<div class="head"><h1>Bots</h1>
  <p class="lead">Each bot is one chatbot with its own Salesforce connection, grants and policy.</p></div>
${waiting > 0 && notice('warn', waiting === 1 ? 'One action waits for a person.' : `${waiting} actions wait for a person.`, html`<a href="/approvals">Look at the approvals</a>`)}
${
  bots.length === 0
    ? html`<section class="card flat"><h2>No bots yet</h2><p>Make the first one in the terminal: <code>gatehouse bot create NAME --profile internal</code></p></section>`
    : html`<ul class="cards">${bots.map(summary)}</ul>`
}`;
}

function summary({ bot, status }: BotSummary): Html {
  const facts = [
    bot.audience === 'public' ? 'Public: talks to strangers' : 'Internal',
    status.environment && ENVIRONMENTS[status.environment],
    bot.grants.length === 1 ? '1 permission' : `${bot.grants.length} permissions`,
    bot.policy.mode !== 'automatic' && `mode ${bot.policy.mode}`,
  ].filter(Boolean);
  return html`<li class="card link"><header><h2><a href="/bots/${encodeURIComponent(bot.name)}"><bdi>${bot.name}</bdi></a></h2>${STATE_BADGE[status.state]}</header>
  <p class="note">${facts.join(' · ')}</p></li>`;
}

/** What an operator has to set before people can name records their own way. */
export interface ToSet {
  readonly problem: string;
  readonly next: string;
}

export function botView(
  { bot, status, lookups = [] }: BotSummary & { readonly lookups?: readonly ToSet[] },
  actions: ConnectionActions & { readonly mayMakeKeys: boolean },
  told?: Html,
): Html {
  return html`<div class="head">
  <p class="eyebrow"><a class="crumb" href="/">Bots</a><span aria-hidden="true">/</span><span>${bot.audience} bot, profile ${bot.profile}</span></p>
  <h1><bdi>${bot.name}</bdi></h1>
</div>
${told}
${lookups.map(({ problem, next }) => notice('warn', problem, html`<p>${next}</p>`))}
${connectionCard(status, actions)}
<section class="card" aria-labelledby="grants">
  <header><h2 id="grants">What it may do</h2><span class="badge">mode ${bot.policy.mode}</span></header>
  ${
    bot.grants.length === 0
      ? html`<p class="empty">Nothing is granted.</p>`
      : html`<ul class="chips">${[...bot.grants].sort().map((grant) => html`<li><code>${grant}</code></li>`)}</ul>`
  }
  <p class="note">Policy revision ${bot.policyRevision}. Grants and policy are changed with <code>gatehouse grant</code> and <code>gatehouse policy set</code>, or over REST.</p>
</section>
${
  actions.mayMakeKeys &&
  html`<form class="card" method="post" action="/bots/${encodeURIComponent(bot.name)}/keys">
  <h2>Keys</h2>
  <p class="note">An agent key calls this bot's actions; a host key is for the app that embeds it. Each is shown once; earlier ones stay valid.</p>
  <input type="hidden" name="csrf" value="${actions.csrf}">
  <div class="actions"><button name="kind" value="agent">New agent key</button><button name="kind" value="host">New host key</button></div>
</form>`
}`;
}

/** A page between, because a slip of the finger must not cut a bot off. */
export function disconnectView(bot: string, csrf: string): Html {
  return html`<div class="head">
  <p class="eyebrow"><a class="crumb" href="/bots/${encodeURIComponent(bot)}">${bot}</a></p>
  <h1>Disconnect <bdi>${bot}</bdi> from Salesforce?</h1>
</div>
<form class="card" method="post" action="/bots/${encodeURIComponent(bot)}/disconnect">
  <p>Gatehouse revokes its access at Salesforce and deletes the stored tokens. The bot's actions then answer <code>not_connected</code> until you connect again. Records in Salesforce stay as they are.</p>
  <input type="hidden" name="csrf" value="${csrf}">
  <div class="actions"><button class="danger" data-busy="Disconnecting…">Disconnect</button><a class="button" href="/bots/${encodeURIComponent(bot)}">Keep it</a></div>
</form>`;
}
