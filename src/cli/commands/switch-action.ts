import { GatehouseError } from '../../domain/errors.ts';
import { botNamed } from '../../policy/permit.ts';
import { changePolicy } from '../../policy/save.ts';
import { askOperatorOnceReal, principalOf } from '../ask-operator.ts';
import type { CommandCall } from '../command.ts';

/** The kill switch of one action: off from the next call of every process on, until it is switched on again. */
export async function switchAction(
  call: Pick<CommandCall, 'config' | 'terminal' | 'openApp'>,
  name: string,
  action: string,
  isOn: boolean,
): Promise<void> {
  const app = await call.openApp();
  const operator = await askOperatorOnceReal(call, app, 'MANAGE_POLICY');
  const { name: bot } = await botNamed(app.store, name);
  if (!app.actions.some((one) => one.name === action))
    throw new GatehouseError('not_found', `There is no action named ${JSON.stringify(action.slice(0, 80))}.`, {
      next: `Use one of: ${app.actions.map((one) => one.name).join(', ')}.`,
      fields: [{ name: 'action', problem: 'unknown' }],
    });
  const { revision, policy } = await changePolicy(
    app,
    bot,
    (policy) => {
      const others = policy.off.filter((one) => one !== action);
      return { ...policy, off: isOn ? others : [...others, action] };
    },
    { principal: principalOf(operator), channel: 'cli' },
  );
  call.terminal.print(
    { bot, action, off: policy.off, revision },
    `${action} of ${bot} is ${isOn ? 'on' : 'off'} from the next call on (revision ${revision}).`,
  );
}
