import { consoleWords } from '../domain/console-words.ts';
import type { GatehouseError, SalesforceSaid } from '../domain/errors.ts';
import { visible } from './format.ts';
import { type Html, html } from './html.ts';

/** An error as a page: what happened, what to do now, and Salesforce's own words marked as such. */
export function problemView(error: GatehouseError): Html {
  return html`<div class="stack">
  <div class="head">
    <p class="eyebrow"><span class="badge bad">${TITLES[error.code] ?? 'Not possible'}</span></p>
    <h1>${consoleWords(error.message)}</h1>
  </div>
  <section class="card" aria-label="What to do">
    <h2>What to do now</h2>
    <p>${consoleWords(error.next)}</p>
    ${salesforceSaid(error)}
  </section>
  <p class="actions">${
    error.code === 'unauthenticated'
      ? html`<a class="button primary" href="/sign-in">Sign in</a>`
      : html`<a class="button" href="/">To the overview</a>`
  }</p>
</div>`;
}

export function salesforceSaid({ salesforce }: { readonly salesforce?: SalesforceSaid | undefined }): Html | undefined {
  if (salesforce === undefined) return undefined;
  return html`<dl class="facts"><dt>Salesforce answered</dt><dd><code>${salesforce.code}</code> <q><bdi>${visible(salesforce.quote)}</bdi></q></dd></dl>`;
}

const TITLES: Readonly<Record<string, string>> = {
  not_found: 'Not found',
  unauthenticated: 'Not signed in',
  permission_denied: 'Not allowed',
  rate_limited: 'Slow down',
  internal: 'Our fault',
  reconnect_needed: 'Reconnect needed',
  salesforce_error: 'Salesforce',
  salesforce_unavailable: 'Salesforce is away',
  store_unavailable: 'Gatehouse’s own state is away',
};
