import type { OperatorPermission } from '../../permissions/catalog.ts';
import type { App } from '../app/app.ts';
import { GatehouseError } from '../domain/errors.ts';
import type { Operator } from '../ports/access.ts';
import type { CommandCall } from './command.ts';

type Asking = Pick<CommandCall, 'config' | 'terminal'>;

/**
 * The person at the terminal, proven by an operator key from the environment or a prompt: never from an
 * argument. `bot`: what is asked is about that one alone, so that a role for some bots may do.
 */
export async function askOperator(
  { config, terminal }: Asking,
  app: App,
  permission: OperatorPermission,
  bot?: OfBot,
): Promise<Operator> {
  const key =
    config.keys.operator ?? (terminal.canAsk ? await terminal.ask('Operator key: ', { isSecret: true }) : undefined);
  if (key === undefined)
    throw new GatehouseError('unauthenticated', 'Only a person with an operator key may do this.', {
      next: 'Set GATEHOUSE_OPERATOR_KEY, or run it in a terminal to be asked. An admin makes one in the console under Settings; with no admin left: gatehouse operator sign-in NAME --recover.',
    });
  const operator = await app.access.operator(key);
  app.access.require(operator, permission, typeof bot === 'function' ? bot(operator) : bot);
  return operator;
}

/**
 * Free while only the simulated org was ever there: whoever has this shell owns the data folder, and nothing real is at
 * stake. Disconnecting does not open it again, or it would be the way around every key.
 */
export async function askOperatorOnceReal(
  call: Asking,
  app: App,
  permission: OperatorPermission,
  bot?: OfBot,
): Promise<Operator | undefined> {
  const isAsked = call.config.keys.operator !== undefined || (await app.connections.hadReal());
  return isAsked ? askOperator(call, app, permission, bot) : undefined;
}

/** Which bot is meant, or which of the operator's will do. */
type OfBot = string | null | ((operator: Operator) => string | undefined);

/** Who did it, for the audit: the operator where one was asked for, else whoever owns the data folder. */
export function principalOf(operator: Operator | undefined): string {
  return operator === undefined ? 'local' : `operator:${operator.name}`;
}
