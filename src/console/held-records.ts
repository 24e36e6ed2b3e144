import type { HeldRecord } from '../domain/action.ts';
import type { Proposal } from '../domain/proposal.ts';
import { count, value, visible } from './format.ts';
import { type Html, html } from './html.ts';

/** Shown on the page itself; the whole list is one click away. */
const SHOWN = 20;

/** What a list would write, record by record. */
export function heldRecords({ id }: Pick<Proposal, 'id'>, records: readonly HeldRecord[]): Html {
  if (records.length === 0)
    return html`<p class="note">What stood on this list is not kept any more; its digest is in the audit.</p>`;
  const path = `/api/proposals/${id}/records`;
  const more = records.length - SHOWN;
  return html`<section class="card" aria-labelledby="records"><header><h2 id="records">${count(records.length)} record${records.length !== 1 && 's'} on this list</h2></header>
  <p class="note">Exactly these are written. One that changes before the yes is left out and waits for the next list. <a href="${path}" target="_blank">Open the whole list</a>, or <a href="${path}" download="proposal-${id}.json">download it</a>.</p>
  <table class="diff new"><thead><tr><th scope="col">Record</th><th scope="col">What would be written</th></tr></thead>
  <tbody>${records.slice(0, SHOWN).map(row)}</tbody></table>
  ${more > 0 && html`<p class="note">And ${count(more)} more.</p>`}</section>`;
}

function row({ id, operation, object, recordId, changes, warnings = [] }: HeldRecord): Html {
  return html`<tr><th scope="row">${operation} ${object} <bdi>${visible(id)}</bdi>${recordId !== null && html` <code>${recordId}</code>`}</th>
    <td class="after" data-label="Written"><ul>${changes.map(
      ({ label, before, after }) =>
        html`<li><bdi>${visible(label)}</bdi>: ${before !== null && html`${value(before)} → `}${value(after)}</li>`,
    )}</ul>${warnings.map((warning) => html`<p class="note"><bdi>${visible(warning)}</bdi></p>`)}</td></tr>`;
}
