import type { ProposalState } from '../domain/proposal.ts';
import { type Html, html } from './html.ts';

/** What each state is called, and what it means for the person who looks. */
export const STATES: Readonly<Record<ProposalState, { readonly badge: Html; readonly meaning: string }>> = {
  received: {
    badge: html`<span class="badge accent">Not looked up yet</span>`,
    meaning: 'A visitor was thanked for it. It is looked up and judged as soon as the org can be reached.',
  },
  pending: { badge: html`<span class="badge accent">Waiting</span>`, meaning: '' },
  approved: {
    badge: html`<span class="badge accent">Approved</span>`,
    meaning: 'It was approved and is about to run.',
  },
  executing: {
    badge: html`<span class="badge accent">Running</span>`,
    meaning: 'Salesforce is being asked right now.',
  },
  done: { badge: html`<span class="badge good">Done</span>`, meaning: 'It ran, and Salesforce took it.' },
  failed: { badge: html`<span class="badge bad">Failed</span>`, meaning: 'It ran, but it did not work.' },
  conflict: {
    badge: html`<span class="badge warn">Conflict</span>`,
    meaning: 'The record changed since this was prepared, so nothing was written. The bot can propose it anew.',
  },
  unknown: {
    badge: html`<span class="badge warn">Not known yet</span>`,
    meaning: 'Salesforce did not answer in time. Gatehouse reads the record back rather than writing twice.',
  },
  rejected: { badge: html`<span class="badge">Declined</span>`, meaning: 'It was declined. Nothing was written.' },
  expired: {
    badge: html`<span class="badge">Expired</span>`,
    meaning: 'Nobody decided in time. Nothing was written; the bot can propose it anew.',
  },
  superseded: {
    badge: html`<span class="badge">Replaced</span>`,
    meaning: 'A newer request for the same record took its place. Nothing was written by this one.',
  },
};
