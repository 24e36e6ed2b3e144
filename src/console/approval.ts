import { whoHolds } from '../../permissions/catalog.ts';
import type { Change, HeldRecord, JudgedQuery } from '../domain/action.ts';
import { consoleWords } from '../domain/console-words.ts';
import type { GatehouseError } from '../domain/errors.ts';
import { declineOf, isDeclinedInClient, isOpen, MOST_REASON, type Proposal, summaryOf } from '../domain/proposal.ts';
import { editableArgs, editField, editHidden } from './edit-values.ts';
import { moment, personName, safeUrl, timeLeft, value, visible } from './format.ts';
import { heldRecords } from './held-records.ts';
import { type Html, html } from './html.ts';
import { notice } from './layout.ts';
import { salesforceSaid } from './problem.ts';
import { STATES } from './proposal-state.ts';

/**
 * The page on which a person decides. Everything that decides is on it: the exact change or query, the record, the reasons,
 * the time left, and what the model itself said, marked as such.
 */

export interface ApprovalPage {
  readonly proposal: Proposal;
  readonly csrf: string;
  readonly mayDecide: boolean;
  readonly nowMs: number;
  /** What went wrong with the answer just given. */
  readonly problem?: GatehouseError | undefined;
  /** What the approver wrote instead, not decided yet: everything that decides is shown as it would be then. */
  readonly edit?: Edit | undefined;
  /** Arguments that the approver changed before the yes: what is shown then is theirs, not the bot's. */
  readonly corrected?: readonly string[];
  /** The reason for a no that was typed, where the page answers a press that was refused. */
  readonly reason?: string | undefined;
  /** Policy lets the model read that reason. */
  readonly tellsReason: boolean;
  /** The viewer asked for this, and policy wants somebody else to approve it. */
  readonly own?: { readonly isAlone: boolean; readonly mayChange: boolean } | undefined;
  /** The viewer had the page open while it was decided. */
  readonly isWatched?: boolean;
  /** The viewer may not see the values. */
  readonly isMasked?: boolean;
  /** Of a list: what stands on it, in place of arguments that no bot sent. */
  readonly records?: readonly HeldRecord[] | undefined;
}

export interface Edit extends Pick<Proposal, 'preview' | 'reasons'> {
  readonly values: Readonly<Record<string, unknown>>;
  readonly seen: string;
}

export function approvalView(given: ApprovalPage): Html {
  const { proposal, problem, edit } = given;
  const { preview, reasons } = edit ?? proposal;
  const isPending = isOpen(proposal);
  return html`<div class="head" data-watch-proposal="${proposal.id}" data-state="${proposal.state}">
  <p class="eyebrow"><a class="crumb" href="/approvals">Approvals</a>${STATES[proposal.state].badge}${isPending && proposal.state !== 'expired' && timed(proposal, given.nowMs)}</p>
  <h1><bdi>${visible(summaryOf(proposal))}</bdi></h1>
  ${preview?.target && target(preview.target)}
</div>
${given.isWatched && !isPending && notice('warn', proposal.decidedBy === null ? 'This ended while you looked.' : `Decided by ${visible(personName(proposal.decidedBy))} while you looked.`)}
${problem && notice('bad', consoleWords(problem.message), html`<p>${consoleWords(problem.next)}</p>${salesforceSaid(problem)}`)}
${!isPending && outcome(proposal)}
${given.isMasked && html`<p class="note">Values are masked: seeing them needs READ_VALUES, which ${whoHolds('READ_VALUES')} has. Whoever decides sees them while this waits.</p>`}
${proposal.visitor !== null && isPending && thanked(proposal)}
${isDeclinedInClient(proposal) && notice('warn', 'Declined in the client.', html`<p>The client of the bot said no, perhaps without asking anybody. The bot was told that it is declined. Policy leaves the decision to you.</p>`)}
<form class="stack" method="post" action="/approvals/${proposal.id}" data-needs="DECIDE_PROPOSALS">
  <input type="hidden" name="csrf" value="${given.csrf}">
  ${isPending && html`<button type="submit" disabled hidden></button>`}
  ${edit && edited(proposal, edit)}
  ${preview !== null && preview.changes.length > 0 && diff(preview.changes, titleOf(given))}
  ${preview?.query && query(preview.query)}
  ${preview?.warnings?.map((warning) => notice('warn', visible(warning)))}
  ${isPending && given.mayDecide && choices(preview)}
  ${reasons.length > 0 && html`<section class="card" aria-labelledby="why"><h2 id="why">Why a person ${isPending ? 'is' : 'was'} asked</h2><ul>${reasons.map((reason) => html`<li><bdi>${visible(consoleWords(reason))}</bdi></li>`)}</ul></section>`}
  ${isPending && given.mayDecide && !edit && editFields(proposal)}
  ${given.records ? heldRecords(proposal, given.records) : given.corrected === undefined || given.corrected.length === 0 ? untrusted(proposal) : correctedArgs(proposal, given.corrected)}
  ${asked(proposal)}
  ${isPending && given.mayDecide && !edit && declining(given)}
  ${isPending && decide(given)}
</form>`;
}

/** Nobody was asked this yet, or nobody answered: the visitor was promised one all the same. */
function thanked({ state, reasons }: Proposal): Html {
  const head = state === 'expired' ? 'Nobody decided this in time.' : 'A visitor was thanked for this.';
  const then = {
    expired: 'A visitor was thanked for it, so it is not lost: write it now, or decline it.',
    received: `It was not looked up yet: ${reasons.at(-1) ?? 'the org could not be asked.'} It is tried again by itself; approving tries now.`,
  }[state as string]; // the other states need no more words
  return notice(state === 'expired' ? 'bad' : 'warn', head, then === undefined ? undefined : html`<p>${then}</p>`);
}

function timed(proposal: Proposal, nowMs: number): Html {
  return html`<span data-reload>${timeLeft(proposal.expiresAt, nowMs)}</span>`;
}

function target({ object, id, name, url }: NonNullable<NonNullable<Proposal['preview']>['target']>): Html {
  const link = safeUrl(url);
  const label = html`${object} <bdi>${visible(name)}</bdi>`;
  return html`<p>${link === undefined ? label : html`<a href="${link}" target="_blank" rel="noreferrer">${label}</a>`} <code>${id}</code></p>`;
}

/** The values travel on as they were shown; the approval counts only for exactly these. */
function edited({ id, args }: Proposal, { values, seen, preview }: Edit): Html {
  const changes = Object.entries(values);
  return html`<section class="card" aria-labelledby="edited"><header><h2 id="edited">What you changed</h2><span class="badge warn">not approved yet</span></header>
  <dl class="facts">${changes.map(([name, given]) => html`<dt><code>${visible(name)}</code></dt><dd>${value(args[name])} → ${value(given)}</dd>`)}</dl>
  <p class="note">${preview?.changes.length === 0 ? 'The record holds these values already: nothing would be written. ' : 'Below is what would be written now. '}<a href="/approvals/${id}">Back to what the bot asked for</a></p>
  ${changes.map(([name, given]) => editHidden(name, given))}<input type="hidden" name="seen" value="${seen}"></section>`;
}

function titleOf({ proposal, edit, corrected = [] }: ApprovalPage): string {
  if (!isOpen(proposal)) return corrected.length > 0 ? 'What was approved' : 'What was asked for';
  const isNew = isMade((edit ?? proposal).preview?.changes ?? []);
  return `What would ${isNew ? 'be written' : 'change'}${edit ? ', with your values' : ''}`;
}

/** A record that is made has no before: one column says it all. */
function isMade(changes: readonly Change[]): boolean {
  return changes.every(({ before }) => before === null);
}

function diff(changes: readonly Change[], title: string): Html {
  const isNew = isMade(changes);
  return html`<section class="card" aria-labelledby="changes"><h2 id="changes">${title}</h2>
  <table class="diff${isNew && ' new'}"><thead><tr><th scope="col">Field</th>${!isNew && html`<th scope="col">Before</th>`}<th scope="col">${isNew ? 'Value' : 'After'}</th></tr></thead>
  <tbody>${changes.map(
    ({
      field,
      label,
      before,
      after,
    }) => html`<tr><th scope="row"><bdi>${visible(label)}</bdi> <code>${field}</code></th>
    ${!isNew && html`<td class="before" data-label="Before"><div>${value(before)}</div></td>`}<td class="after" data-label="After"><div>${value(after)}</div></td></tr>`,
  )}</tbody></table></section>`;
}

function query({ send, objects, fields, rowCap, expects, reasons, class: kind }: JudgedQuery): Html {
  return html`<section class="card" aria-labelledby="query"><header><h2 id="query">The exact query</h2><span class="badge ${kind === 'trivial' ? '' : 'warn'}">${kind}</span></header>
  <pre class="query" tabindex="0" role="group" aria-label="Query text">${visible(send)}</pre>
  <dl class="facts"><dt>Objects</dt><dd>${chips(objects)}</dd><dt>Fields</dt><dd>${chips(fields)}</dd>
  <dt>At most</dt><dd>${rowCap === null ? 'one number, no rows' : html`${value(rowCap)} rows`}</dd>
  ${expects && html`<dt>Likely</dt><dd>${visible(expects)}</dd>`}
  ${reasons.length > 0 && html`<dt>Not trivial because</dt><dd>${reasons.join('; ')}</dd>`}</dl></section>`;
}

/** None is picked for you: a default would be an answer that nobody gave. */
function choices(preview: Proposal['preview']): Html | undefined {
  if (preview?.choices === undefined || preview.choices.length === 0) return undefined;
  return html`<section class="card"><fieldset><legend>Choose what to do</legend>${preview.choices.map(
    ({ id, label }) =>
      html`<label class="choice"><input type="radio" name="choice" value="${id}" required><span><bdi>${visible(label)}</bdi></span></label>`,
  )}</fieldset></section>`;
}

function editFields(proposal: Proposal): Html | undefined {
  const fields = editableArgs(proposal);
  if (fields.length === 0) return undefined;
  return html`<details class="card"><summary>Change a value before approving</summary><div class="stack">
  <p class="note">Checked again like the original, and shown to you before it runs. What the bot asked for and what you approve are both kept in the log.</p>
  ${fields.map(editField)}</div></details>`;
}

function untrusted({ args }: Proposal): Html {
  return html`<details class="card untrusted"><summary>The bot's own words <span class="badge warn">not verified</span></summary>
  <p class="note">The arguments as the model sent them. Treat them as a claim: they may repeat what a stranger wrote.</p>
  <dl class="facts">${Object.entries(args).map(([name, given]) => html`<dt><code>${visible(name)}</code></dt><dd>${value(given)}</dd>`)}</dl></details>`;
}

function correctedArgs({ args }: Proposal, names: readonly string[]): Html {
  return html`<details class="card flat" open><summary>The arguments as they were approved</summary>
  <p class="note">The approver changed ${names.join(', ')}. What the bot had asked for is kept with the audit.</p>
  <dl class="facts">${Object.entries(args).map(([name, given]) => html`<dt><code>${visible(name)}</code></dt><dd>${value(given)}</dd>`)}</dl></details>`;
}

function asked({ bot, action, principal, conversation, createdAt, assurance, id }: Proposal): Html {
  return html`<details class="card flat"><summary>Who asked</summary><dl class="facts">
  <dt>Bot</dt><dd><bdi>${bot}</bdi></dd><dt>Action</dt><dd>${action}</dd><dt>Caller</dt><dd><code>${principal}</code></dd>
  ${conversation !== null && html`<dt>Conversation</dt><dd><code>${visible(conversation)}</code></dd>`}
  <dt>Asked</dt><dd>${moment(new Date(createdAt).toISOString())}</dd>
  <dt>May be answered by</dt><dd>${assurance === 'session' ? 'a signed-in approver only' : 'a signed-in approver, or the person at the chat client'}</dd>
  <dt>Proposal</dt><dd><code>${id}</code></dd></dl></details>`;
}

/** Beside the button that sends it: who will read it is said before it is written. */
function declining({ reason, tellsReason }: ApprovalPage): Html {
  return html`<details class="card flat"${reason && html` open`}><summary>Say why, if you decline</summary><label class="field">Reason for declining
  <textarea name="reason" maxlength="${String(MOST_REASON)}">${reason ?? ''}</textarea>
  <small>Optional. Kept with the decision and shown to people. ${tellsReason ? 'The bot reads it too, quoted.' : 'The bot does not read it.'}</small></label></details>`;
}

/** Never a dead end: whoever is alone may change the policy, and that stands in the log. */
function ofOwn({ bot }: Proposal, { isAlone, mayChange }: NonNullable<ApprovalPage['own']>): Html {
  const change = html`<p>You are the only operator who may decide. You can let operators approve what they asked for: this changes the policy of <bdi>${bot}</bdi> and stands in the log.</p><div class="actions"><button name="answer" value="allow-own" formnovalidate>Allow it for ${bot}</button></div>`;
  const ask = html`<p>${isAlone ? 'You are the only operator who may decide: an admin makes another one, or changes the policy.' : 'Send the address of this page to another operator.'}</p>`;
  return notice(
    'warn',
    'You asked for this yourself, so somebody else has to approve it.',
    isAlone && mayChange ? change : ask,
  );
}

function decide({ mayDecide, proposal, nowMs, edit, own }: ApprovalPage): Html {
  if (!mayDecide)
    return notice('warn', 'You can look, but not decide.', html`<p>Deciding needs the role approver or admin.</p>`);
  if (own)
    return html`${ofOwn(proposal, own)}<div class="decide"><div class="actions"><button class="danger" name="answer" value="reject" formnovalidate data-busy="Declining…">Decline</button></div></div>`;
  return html`<div class="decide"><div class="actions"><button class="primary" name="answer" value="approve" data-busy="Working…">${edit ? 'Approve with your values' : proposal.state === 'expired' ? 'Write it now' : 'Approve'}</button><button class="danger" name="answer" value="reject" formnovalidate data-busy="Declining…">Decline</button></div>
  <p class="note">Approving runs exactly this, once.${proposal.state !== 'expired' && html` ${timeLeft(proposal.expiresAt, nowMs)}.`}</p></div>`;
}

function outcome(proposal: Proposal): Html {
  const { state, decidedBy, decidedVia, decidedAt, error, choice } = proposal;
  const decline = declineOf(proposal);
  const result = decline === undefined ? proposal.result : null;
  const kind = state === 'done' ? 'good' : state === 'failed' ? 'bad' : 'warn';
  return html`${notice(
    kind,
    STATES[state].meaning,
    error === null || state === 'done'
      ? undefined
      : html`<p>${consoleWords(error.error.message)}</p><p>${consoleWords(error.error.next)}</p>${salesforceSaid(error.error)}`,
  )}
<section class="card" aria-labelledby="outcome"><h2 id="outcome">How it ended</h2><dl class="facts">
  ${decidedBy !== null && html`<dt>Decided by</dt><dd><bdi>${personName(decidedBy)}</bdi>${decidedVia && ` (${decidedVia})`}${decidedAt !== null && html`, ${moment(new Date(decidedAt).toISOString())}`}</dd>`}
  ${decline && html`<dt>Reason</dt><dd>${value(decline.reason)} <small>${decline.isTold ? 'The bot may read it.' : 'The bot was not told.'}</small></dd>`}
  ${choice !== null && html`<dt>Choice</dt><dd><bdi>${visible(choice)}</bdi></dd>`}
  ${result !== null && Object.entries(result).map(([name, given]) => html`<dt><code>${visible(name)}</code></dt><dd>${resultValue(given)}</dd>`)}
  ${decidedBy === null && result === null && html`<dt>Decided by</dt><dd class="empty">nobody</dd>`}
</dl></section>`;
}

function resultValue(given: unknown): Html {
  if (isChanges(given))
    return html`<ul>${given.map(({ field, before, after }) => html`<li><code>${field}</code> ${value(before)} → ${value(after)}</li>`)}</ul>`;
  const url = typeof given === 'string' ? safeUrl(given) : undefined;
  return url === undefined ? value(given) : html`<a href="${url}" target="_blank" rel="noreferrer">${visible(url)}</a>`;
}

/** What was changed, as the actions that write tell it. */
function isChanges(given: unknown): given is readonly Pick<Change, 'field' | 'before' | 'after'>[] {
  const isChange = (item: unknown) =>
    typeof item === 'object' && item !== null && ['field', 'before', 'after'].every((key) => key in item);
  return Array.isArray(given) && given.length > 0 && given.every(isChange);
}

function chips(names: readonly string[]): Html {
  return html`<ul class="chips">${names.map((name) => html`<li><code>${name}</code></li>`)}</ul>`;
}
