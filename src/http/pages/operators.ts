import {
  changeRole,
  createOperator,
  listOperators,
  newOperatorKey,
  removeOperator,
  revokeOperatorKeys,
  toRole,
} from '../../access/operators.ts';
import { type Html, html } from '../../console/html.ts';
import { notice } from '../../console/layout.ts';
import { operatorsView, type ShownOperator, shownOnce } from '../../console/operators.ts';
import { GatehouseError } from '../../domain/errors.ts';
import type { HttpDeps } from '../deps.ts';
import type { Page, PageCall, PageReply } from './page.ts';

/** Operators and their keys, for admins: the first one comes in by the link of `npm start` and makes the others here. */
export function operatorPages(deps: HttpDeps): readonly Page[] {
  const view = async ({ session }: PageCall, told?: Html, status = 200): Promise<PageReply> => {
    const operators: readonly ShownOperator[] = await listOperators(deps);
    const body = operatorsView(operators, { csrf: session.csrf, self: session.name, told });
    return { title: 'Operators', body, here: 'operators', status };
  };

  const act = async ({ session, form, origin }: PageCall): Promise<Html> => {
    const name = form.get('name') ?? '';
    const by = { principal: `operator:${session.name}`, channel: 'console' } as const;
    const [what = '', given = ''] = (form.get('do') ?? '').split(':');
    switch (what) {
      case 'create': {
        const role = toRole(form.get('role') ?? '');
        const key = await createOperator(deps, name, role, by);
        return shownOnce(`${name} is now ${role}. The key, shown this once:`, key, 'Keep it from every bot and model.');
      }
      case 'key': {
        const { key } = await newOperatorKey(deps, name, { replace: false }, by);
        return shownOnce(`A new key of ${name}, shown this once:`, key, 'Earlier keys stay valid.');
      }
      case 'link': {
        const { token } = await deps.access.signInToken(name);
        await deps.audit.record({ ...by, action: 'operator sign-in', event: 'link_made', detail: { operator: name } });
        return shownOnce(
          `Signs ${name} in once, within ten minutes:`,
          `${origin}/sign-in#${token}`,
          'Send it to them.',
        );
      }
      case 'revoke':
        return notice('good', `Keys of ${name} revoked: ${await revokeOperatorKeys(deps, name, by)}.`);
      case 'role':
        await changeRole(deps, name, toRole(given), by);
        return notice('good', `${name} is now ${given}.`);
      case 'remove':
        await removeOperator(deps, name, by);
        return notice('good', `${name} is removed; sessions, links and keys have ended.`);
      default:
        throw new GatehouseError('invalid_input', 'The form came without a button.', {
          next: 'Press one of the buttons on the page.',
        });
    }
  };

  return [
    { method: 'GET', path: '/operators', permission: 'MANAGE_OPERATORS', handle: (call) => view(call) },
    {
      method: 'POST',
      path: '/operators',
      permission: 'MANAGE_OPERATORS',
      async handle(call) {
        try {
          return await view(call, await act(call));
        } catch (error) {
          if (!(error instanceof GatehouseError)) throw error;
          return view(call, notice('bad', error.message, html`<p>${error.next}</p>`), error.status);
        }
      },
    },
  ];
}
