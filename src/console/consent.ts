import type { WaitingConsent } from '../ports/identity.ts';
import { visible } from './format.ts';
import { type Html, html } from './html.ts';
import { notice } from './layout.ts';

/** The page on which a person lets a program act for a bot in their name. Plain forms, so that it works without a script. */

export interface ConsentPage {
  readonly asked: WaitingConsent;
  readonly csrf: string;
  readonly person: string;
  /** The bots that may be chosen, with what a program may then do there. */
  readonly bots: readonly ConsentBot[];
  /** The person's role lets a program ask to write. */
  readonly mayWrite: boolean;
  /** The person may let codes be sent to a host that is new here. */
  readonly mayAllowHost: boolean;
  readonly problem?: { readonly message: string; readonly next: string } | undefined;
}

export interface ConsentBot {
  readonly name: string;
  readonly actions: readonly { readonly title: string; readonly mayAsk: boolean }[];
}

export function consentView(page: ConsentPage): Html {
  const { asked, person, csrf, problem } = page;
  const { client, host, isLoopback } = asked;
  return html`<div class="narrow stack consent">
  <div class="head">
    <p class="eyebrow"><span class="badge">A program wants to connect</span></p>
    <h1>Let <bdi>${visible(isLoopback ? 'a program on this computer' : host)}</bdi> act for a bot?</h1>
    <p class="lead">${
      client.name === ''
        ? 'It does not say what it is called.'
        : client.isProven
          ? html`It is “<bdi>${visible(client.name)}</bdi>”, which <code>${client.host}</code> says of itself.`
          : html`It calls itself “<bdi>${visible(client.name)}</bdi>”; Gatehouse cannot check that.`
    } ${!client.isProven && client.host !== undefined && html`Its document is at <code>${client.host}</code>, for any program to name.`} ${isLoopback ? html`It waits at <code>${host}</code>.` : html`It gets its access at <code>${host}</code>.`}</p>
  </div>
  ${problem && notice('bad', problem.message, html`<p>${problem.next}</p>`)}
  ${notice('warn', 'Only go on if you started this yourself, just now.', html`<p>Whoever runs the program then reads and asks in your name.</p>`)}
  ${asked.isAllowed ? form(page) : newHost(page)}
  <p class="note">You are <bdi>${person}</bdi>. Not you? <button class="quiet" form="leave">Sign out</button></p>
  <form id="leave" method="post" action="/sign-out"><input type="hidden" name="csrf" value="${csrf}"></form>
</div>`;
}

function form(page: ConsentPage): Html {
  const { asked, csrf, bots, mayWrite } = page;
  if (bots.length === 0)
    return html`<section class="card"><p>There is no bot here that it could use${asked.bot !== undefined && html`: its address names <bdi>${visible(asked.bot)}</bdi>`}.</p>${hidden(asked.id, csrf)}</section>`;
  return html`<form class="card" method="post" action="/oauth/consent">
    <input type="hidden" name="csrf" value="${csrf}">
    <input type="hidden" name="request" value="${asked.id}">
    <fieldset>
      <legend>Which bot</legend>
      <ul class="ticks">${bots.map((bot) => choice(bot, bots.length === 1))}</ul>
    </fieldset>
    ${
      asked.asksToWrite &&
      (mayWrite
        ? html`<ul class="ticks"><li><label><input type="checkbox" name="write" value="yes" checked><span>It may also ask to change records<small>The policy of the bot, and people, still decide about each change.</small></span></label></li></ul>`
        : html`<p class="note">It may read only: your role changes nothing.</p>`)
    }
    <p class="actions"><button class="primary" name="answer" value="allow">Allow</button><button name="answer" value="deny" formnovalidate>Do not allow</button></p>
    <p class="note">You can end this at any time: Settings, Connected apps.</p>
  </form>`;
}

function newHost({ asked, csrf, mayAllowHost }: ConsentPage): Html {
  return html`<form class="card" method="post" action="/oauth/consent">
    <input type="hidden" name="csrf" value="${csrf}">
    <input type="hidden" name="request" value="${asked.id}">
    <h2>This address is new here</h2>
    <p>Nobody has let access be sent to <code>${asked.host}</code> yet. ${
      mayAllowHost
        ? 'Look at each letter: a name that only looks like one you know is how access is stolen.'
        : 'An admin has to open this same page and allow it, once.'
    }</p>
    <p class="actions">${mayAllowHost && html`<button class="primary" name="answer" value="allow-host">Allow ${asked.host} from now on</button>`}<button name="answer" value="deny">Do not allow</button></p>
  </form>`;
}

const hidden = (id: string, csrf: string) =>
  html`<form class="actions" method="post" action="/oauth/consent"><input type="hidden" name="csrf" value="${csrf}"><input type="hidden" name="request" value="${id}"><button name="answer" value="deny">Back to the program</button></form>`;

function choice({ name, actions }: ConsentBot, isOnly: boolean): Html {
  const byItself = actions.filter(({ mayAsk }) => !mayAsk);
  const asks = actions.filter(({ mayAsk }) => mayAsk);
  const titles = (some: ConsentBot['actions']) => some.map(({ title }) => title).join(', ');
  return html`<li><label><input type="radio" name="bot" value="${name}" required${isOnly && html` checked`}>
    <span><strong><bdi>${name}</bdi></strong>${byItself.length > 0 && html`<small>Runs by itself: ${titles(byItself)}</small>`}${asks.length > 0 && html`<small>May ask a person: ${titles(asks)}</small>`}${actions.length === 0 && html`<small>Nothing is granted to it yet.</small>`}</span></label></li>`;
}
