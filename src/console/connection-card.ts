import type { ConnectionStatus } from '../ports/salesforce.ts';
import { count, moment, safeUrl, value } from './format.ts';
import { type Html, html } from './html.ts';

/** A bot's connection: state, org, and what went wrong last with its cure. */

export const STATE_BADGE: Readonly<Record<ConnectionStatus['state'], Html>> = {
  connected: html`<span class="badge good">Connected</span>`,
  needs_reauth: html`<span class="badge bad">Reconnect needed</span>`,
  disconnected: html`<span class="badge">Disconnected</span>`,
  never_connected: html`<span class="badge">Not connected</span>`,
};

export interface ConnectionActions {
  readonly bot: string;
  readonly csrf: string;
  readonly mayConnect: boolean;
  readonly mayDisconnect: boolean;
}

export function connectionCard(status: ConnectionStatus, actions: ConnectionActions): Html {
  return html`<section class="card" aria-labelledby="connection">
  <header><h2 id="connection">Salesforce connection</h2>${STATE_BADGE[status.state]}</header>
  ${status.orgId === undefined ? html`<p class="lead">This bot cannot reach any Salesforce org yet.</p>` : facts(status)}
  ${buttons(status, actions)}
</section>`;
}

function facts(status: ConnectionStatus): Html {
  const url = status.instanceUrl === undefined ? undefined : safeUrl(status.instanceUrl);
  return html`<dl class="facts">
  ${row('Environment', status.environment && html`${ENVIRONMENTS[status.environment]}`)}
  ${row('Org id', status.orgId && html`<code>${status.orgId}</code>`)}
  ${row('User', status.username && value(status.username))}
  ${row('Instance', url ? html`<a href="${url}" rel="noreferrer">${new URL(url).host}</a>` : status.instanceUrl && value(status.instanceUrl))}
  ${row('Scopes', status.scopes && html`<code>${status.scopes}</code>`)}
  ${row('Signed in by', status.flow && html`${FLOWS[status.flow] ?? status.flow}`)}
  ${row('Connected', status.connectedAt && moment(status.connectedAt))}
  ${row('Last success', status.lastSuccessAt ? moment(status.lastSuccessAt) : html`<span class="empty">none yet</span>`)}
  ${row('Last failure', lastFailure(status))}
  ${row('Circuit breaker', status.breaker && breaker(status.breaker))}
  ${row('API calls today', status.api && html`${count(status.api.used)} of ${count(status.api.max)}`)}
  ${row('Last sync', status.lastSyncAt && moment(status.lastSyncAt))}
  ${row('Last event', status.lastEventAt && moment(status.lastEventAt))}
</dl>`;
}

function lastFailure({ lastFailure: failure }: ConnectionStatus): Html {
  if (failure === undefined) return html`<span class="empty">none</span>`;
  return html`${moment(failure.at)}<br>${value(failure.message)} <code>${failure.code}</code><br><small>Cure: ${failure.next}</small>`;
}

function breaker({ state, nextTryAt }: NonNullable<ConnectionStatus['breaker']>): Html {
  if (state === 'closed') return html`closed: calls go through`;
  if (state === 'half-open') return html`half-open: the next calls are a trial`;
  return html`<span class="badge warn">open</span> calls are paused${nextTryAt && html` until ${moment(nextTryAt)}`}`;
}

function row(name: string, shown: Html | '' | undefined): Html | undefined {
  return shown === undefined || shown === '' ? undefined : html`<dt>${name}</dt><dd>${shown}</dd>`;
}

function buttons({ state }: ConnectionStatus, { bot, csrf, mayConnect, mayDisconnect }: ConnectionActions): Html {
  const isThere = state === 'connected' || state === 'needs_reauth';
  const post = (name: string, label: string, busy: string, kind = '') =>
    html`<form method="post" action="/bots/${encodeURIComponent(bot)}/${name}"><input type="hidden" name="csrf" value="${csrf}"><button class="${kind}" data-busy="${busy}">${label}</button></form>`;
  return html`<div class="actions">
  ${mayConnect && html`<a class="button ${!isThere || state === 'needs_reauth' ? 'primary' : ''}" href="/connect/${encodeURIComponent(bot)}">${isThere ? 'Reconnect' : 'Connect'}</a>`}
  ${isThere && post('test', 'Test', 'Testing…')}
  ${isThere && mayDisconnect && html`<a class="button danger" href="/bots/${encodeURIComponent(bot)}/disconnect">Disconnect</a>`}
</div>`;
}

export const ENVIRONMENTS = { production: 'Production', sandbox: 'Sandbox', simulated: 'Simulated' } as const;

const FLOWS: Readonly<Record<string, string>> = {
  web: 'a person, through Salesforce login',
  jwt: 'JWT bearer',
  'client-credentials': 'client credentials',
  password: 'username and password',
  simulated: 'the embedded simulated org',
};
