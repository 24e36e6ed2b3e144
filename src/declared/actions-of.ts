import { type ActionPermission, SALESFORCE_ACTIONS } from '../../permissions/catalog.ts';
import type { Action } from '../domain/action.ts';
import { permissionOf } from '../domain/declaration.ts';
import type { BotRow } from '../ports/store.ts';
import { toAction } from './to-action.ts';

/** Every action that there is for this bot: those in code, and those that an operator declared for it. */
export function actionsOf(inCode: readonly Action[], { declared }: Pick<BotRow, 'declared'>): readonly Action[] {
  return declared.length === 0 ? inCode : [...inCode, ...declared.map(toAction)];
}

/** What this bot may be granted: one that no action of it has would be a right to nothing, until somebody declares what it means. */
export function permissionsFor({ declared }: Pick<BotRow, 'declared'>): readonly ActionPermission[] {
  return [...SALESFORCE_ACTIONS, ...declared.map(({ declaration }) => permissionOf(declaration.name))];
}
