import { GatehouseError } from '../domain/errors.ts';
import type { DeploymentRow, DeployReport, DeployState } from '../ports/org-deploy.ts';

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

export function lost({ deployId }: DeploymentRow): GatehouseError {
  return again(
    'The package was sent, and Salesforce did not say in half an hour what became of it.',
    `Look at Setup, Deployment Status${deployId === null ? '' : ` (${deployId})`}. It is not sent a second time; begin again only when it is over there.`,
  );
}

export const refusedIn = ({ status, failures: [first, ...more] }: DeployReport): GatehouseError =>
  new GatehouseError(
    'salesforce_error',
    first === undefined
      ? `Salesforce ended it as ${status}.`
      : `Salesforce refused the package: ${first.name}${more.length > 0 ? ` and ${more.length} more` : ''}.`,
    {
      next:
        status === 'SucceededPartial'
          ? 'A part of it is in the org: run the check of the org, then begin again.'
          : 'Nothing was changed. See what each part says, change that in the org or in the policy of the bot, and begin again.',
    },
  );

export const problemOf = ({ message, next, salesforce }: GatehouseError) => ({
  message,
  next,
  ...(salesforce === undefined ? {} : { quote: salesforce.quote }),
});

/** As the audit names how it ended. */
export const EVENTS: Partial<Record<DeployState, string>> = {
  deployed: 'deployed',
  failed: 'deploy_failed',
  unknown: 'deploy_unknown',
  cancelled: 'deploy_cancelled',
  expired: 'deploy_expired',
};
