import { isDeclinedInClient, type Proposal, summaryOf } from '../domain/proposal.ts';
import { moment, personName, timeLeft, visible } from './format.ts';
import { type Html, html } from './html.ts';
import { STATES } from './proposal-state.ts';

/** The queue: what waits first, then what was decided lately. */
export function approvalsView(waiting: readonly Proposal[], settled: readonly Proposal[], nowMs: number): Html {
  return html`<div class="head" data-watch-queue><h1>Approvals</h1>
  <p class="lead">Actions that a bot prepared and may not take by itself. Nothing is written until a person says yes.</p></div>
${
  waiting.length === 0
    ? html`<section class="card flat"><h2>Nothing waits</h2><p class="note">New requests appear here by themselves.</p></section>`
    : html`<ul class="cards" aria-label="Waiting">${waiting.map((proposal) => item(proposal, waits(proposal, nowMs)))}</ul>`
}
${
  settled.length > 0 &&
  html`<h2>Lately</h2>
<ul class="cards" aria-label="Decided lately">${settled.map((proposal) => item(proposal, settledAs(proposal)))}</ul>`
}`;
}

function item(proposal: Proposal, end: Html): Html {
  const summary = visible(summaryOf(proposal));
  return html`<li class="card link"><p class="eyebrow">${STATES[proposal.state].badge}${isDeclinedInClient(proposal) && html`<span class="badge warn">declined in the client</span>`}<span><bdi>${proposal.bot}</bdi></span><span>${proposal.action}</span></p>
  <h2><a href="/approvals/${proposal.id}"><bdi>${summary.length > 240 ? `${summary.slice(0, 239)}…` : summary}</bdi></a></h2>
  <p class="note">${end}</p></li>`;
}

function waits({ state, expiresAt }: Proposal, nowMs: number): Html {
  return state === 'expired'
    ? html`Nobody decided in time; it can still be written or declined`
    : timeLeft(expiresAt, nowMs);
}

function settledAs({ decidedBy, decidedAt, settledAt, createdAt }: Proposal): Html {
  const by = decidedBy === null ? '' : `${personName(decidedBy)}, `;
  return html`${by}${moment(new Date(settledAt ?? decidedAt ?? createdAt).toISOString())}`;
}
