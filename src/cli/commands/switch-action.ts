import { botNamed } from '../../policy/permit.ts';
import { switchAction as save } from '../../policy/save.ts';
import { askOperatorOnceReal, principalOf } from '../ask-operator.ts';
import type { CommandCall } from '../command.ts';

/** The kill switch of one action, for the commands `policy off` and `policy on`. */
export async function switchAction(
  call: Pick<CommandCall, 'config' | 'terminal' | 'openApp'>,
  name: string,
  action: string,
  isOn: boolean,
): Promise<void> {
  const app = await call.openApp();
  const operator = await askOperatorOnceReal(call, app, 'MANAGE_POLICY', name);
  const { name: bot } = await botNamed(app.store, name);
  const by = { principal: principalOf(operator), channel: 'cli' } as const;
  const { revision, policy } = await save(app, bot, { action, isOn }, by);
  call.terminal.print(
    { bot, action, off: policy.off, revision },
    `${action} of ${bot} is ${isOn ? 'on' : 'off'} from the next call on (revision ${revision}).`,
  );
}
