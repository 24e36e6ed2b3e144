import { type Html, html } from './html.ts';
import { notice } from './layout.ts';

/** The token stays in the fragment until the button sends it: a link preview or a log cannot use it up. */
export function signInView(next: string, problem?: { readonly message: string; readonly next: string }): Html {
  return html`<div class="narrow stack">
  <div class="head">
    <h1>Sign in</h1>
    <p class="lead">Gatehouse has no passwords. You sign in with a one-time link from its terminal.</p>
  </div>
  ${problem && notice('bad', problem.message, html`<p>${problem.next}</p>`)}
  <form class="card" method="post" action="/sign-in">
    <input type="hidden" name="next" value="${next}">
    <p class="given">Your link was read. It works once, and only within ten minutes of being made.</p>
    <label class="field paste">Sign-in link or token
      <input type="text" name="token" required autocomplete="off" autocapitalize="off" spellcheck="false" data-token>
      <small>Get one with <code>gatehouse operator sign-in NAME</code>, or from the lines that Gatehouse prints at its start.</small>
    </label>
    <button class="primary" data-sign-in data-busy="Signing in…">Sign in</button>
  </form>
</div>`;
}
