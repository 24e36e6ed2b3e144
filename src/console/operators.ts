import { ROLES, type Role } from '../../permissions/catalog.ts';
import { type Html, html } from './html.ts';
import { notice } from './layout.ts';

export interface ShownOperator {
  readonly name: string;
  readonly role: Role;
  /** Live keys. */
  readonly keys: number;
}

const MAY: Readonly<Record<Role, string>> = {
  admin: 'connects orgs, grants, sets policy, makes operators, and decides',
  approver: 'decides what waits',
  viewer: 'looks',
};

/** Who may do what here, and how they get in. */
export function operatorsView(
  operators: readonly ShownOperator[],
  { csrf, self, told }: { readonly csrf: string; readonly self: string; readonly told?: Html | undefined },
): Html {
  const hidden = html`<input type="hidden" name="csrf" value="${csrf}">`;
  return html`<div class="head"><h1>Operators</h1>
  <p class="lead">People with a session or a key. A key is for the terminal (<code>GATEHOUSE_OPERATOR_KEY</code>); a browser signs in by link.</p></div>
${told}
<ul class="cards" aria-label="Operators">${operators.map((one) => card(one, hidden, one.name === self))}</ul>
<form class="card" method="post" action="/operators">
  <h2>Make an operator</h2>
  ${hidden}
  <label class="field">Name <input type="text" name="name" required maxlength="64" autocomplete="off" autocapitalize="off" spellcheck="false"></label>
  <label class="field">Role <select name="role">${ROLES.map((role) => html`<option value="${role}"${role === 'approver' && html` selected`}>${role}: ${MAY[role]}</option>`)}</select></label>
  <div class="actions"><button class="primary" name="do" value="create" data-busy="Making…">Make, and show the key once</button></div>
</form>`;
}

function card({ name, role, keys }: ShownOperator, hidden: Html, isSelf: boolean): Html {
  const others = ROLES.filter((one) => one !== role);
  return html`<li class="card"><header><h2><bdi>${name}</bdi>${isSelf && html` <small>(you)</small>`}</h2><span class="badge">${role}</span></header>
  <p class="note">${MAY[role]} · ${keys === 0 ? 'no key' : keys === 1 ? '1 key' : `${keys} keys`}</p>
  <form class="actions" method="post" action="/operators">${hidden}<input type="hidden" name="name" value="${name}">
    <button name="do" value="link">Sign-in link</button>
    <button name="do" value="key">New key</button>
    ${keys > 0 && html`<button name="do" value="revoke">Revoke keys</button>`}
    ${others.map((one) => html`<button name="do" value="role:${one}">Make ${one}</button>`)}
    ${!isSelf && html`<button class="danger" name="do" value="remove">Remove</button>`}
  </form></li>`;
}

/** Something that is shown this once, to be copied. */
export function shownOnce(title: string, secret: string, note: string): Html {
  return notice('good', title, html`<p><code class="wrap">${secret}</code></p><p>${note}</p>`);
}
