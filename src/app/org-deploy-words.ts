import { GatehouseError } from '../domain/errors.ts';
import type { DeploymentRow } from '../ports/org-deploy.ts';

/** Why a deployment does not go on, and what to do. */

export const again = (message: string, next = 'Nothing was changed in the org. Begin the deployment again.') =>
  new GatehouseError('conflict', message, { next });

export const gone = () =>
  new GatehouseError('not_found', 'There is no deployment of this id.', {
    next: 'Begin it: gatehouse org prepare BOT --deploy, or the page of the org in the console.',
  });

export const notYours = ({ principal }: DeploymentRow) =>
  new GatehouseError('permission_denied', 'This deployment belongs to somebody else, or to another browser.', {
    next: `Only ${principal}, who began it, goes on with it. Begin one of your own.`,
  });

export const noneYet = () =>
  again(
    'Nobody has signed in to Salesforce for this deployment, or it was not tried yet.',
    'Sign in first, then try it.',
  );

export const expired = () => again('This deployment is older than half an hour: its sign-in is over.');

export const underWay = () =>
  again('A package of this bot is being deployed right now.', 'Wait until Salesforce says what became of it.');
