import { setTimeout as delay } from 'node:timers/promises';
import type { App } from '../app/app.ts';
import type { ShownDeployment } from '../app/org-deploy-form.ts';
import { GatehouseError } from '../domain/errors.ts';
import { isDeployOver } from '../ports/org-deploy.ts';
import type { BotRow } from '../ports/store.ts';
import { askOperatorOnceReal, principalOf } from './ask-operator.ts';
import type { CommandCall } from './command.ts';

/** The package of a bot, deployed from a terminal: sign in with a browser, see what it would do, say yes. */

type Call = Pick<CommandCall, 'config' | 'terminal' | 'untilStopped'>;

interface Wish {
  readonly events: boolean;
  /** Gives the set to the connected user too. */
  readonly assign: boolean;
  /** One that was begun before. */
  readonly id: string | undefined;
  /** The digest that somebody says yes to. */
  readonly yes: string | undefined;
}

const POLL_MS = 1_000;

export async function deployOrg(call: Call, app: App, bot: BotRow, wish: Wish): Promise<void> {
  const { terminal } = call;
  const operator = await askOperatorOnceReal(call, app, 'CREATE_OAUTH', bot.name);
  const by = { principal: principalOf(operator), channel: 'cli' } as const;
  const deploys = await app.orgDeploy();
  const begun = wish.id === undefined ? await deploys.begin(bot, wish, by) : await deploys.look(wish.id);
  const stopped = call.untilStopped();
  let isStopped = false;
  void stopped.then(() => {
    isStopped = true;
  });

  /** Looks again while it stands at one of these. */
  const settled = async (from: ShownDeployment, ...states: readonly ShownDeployment['state'][]) => {
    let at = from;
    while (states.includes(at.state) && !isStopped) {
      await Promise.race([delay(POLL_MS), stopped]);
      at = await deploys.look(at.id);
    }
    return at;
  };
  const done = (at: ShownDeployment, ...more: readonly string[]) => {
    if (at.problem !== undefined) throw notDeployed(at, at.problem);
    terminal.print({ deployment: at }, [...describeDeployment(at), ...more].join('\n'));
  };

  if (begun.state === 'waiting')
    terminal.note(
      `Open ${app.serverAddress.url()}/bots/${encodeURIComponent(bot.name)}/org?view=package&deployment=${begun.id}\nSign in there as ${by.principal.replace(/^operator:/, '')}, and then to Salesforce as an administrator. "gatehouse serve" must be running. Waiting…`,
    );
  let at = await settled(begun, 'waiting');
  if (at.state === 'signed_in' && !isStopped) at = await deploys.check(at.id, by);
  at = await settled(at, 'checking');
  if (isStopped && !isDeployOver(at.state) && at.state !== 'deploying')
    return done(await deploys.cancel(at.id, by), '', 'Stopped: nothing was deployed.');
  if (at.state !== 'checked') return done(await settled(at, 'deploying'));

  const yes = wish.yes ?? (terminal.canAsk ? await askYes(at, terminal) : undefined);
  if (yes === undefined)
    return done(
      at,
      '',
      `Nothing is deployed yet. Until ${at.expiresAt}, to deploy exactly this: gatehouse org prepare ${bot.name} --deployment ${at.id} --yes ${at.digest}${wish.assign ? ' --assign' : ''}`,
    );
  if (yes === '') return done(await deploys.cancel(at.id, by), '', 'Nothing was deployed.');
  at = await settled(await deploys.deploy(at.id, by, { digest: yes, assign: wish.assign }), 'deploying');
  done(at, '', ...(at.state === 'deployed' ? [`Next: gatehouse org check ${bot.name}`] : []));
}

/** The digest of what was shown; empty for a no. */
async function askYes(at: ShownDeployment, terminal: Call['terminal']): Promise<string> {
  terminal.note(describeDeployment(at).join('\n'));
  const answer = await terminal.ask(`Deploy this to the org ${at.orgId}? Type yes: `);
  return answer.trim().toLowerCase() === 'yes' ? at.digest : '';
}

const notDeployed = (at: ShownDeployment, { message, next }: NonNullable<ShownDeployment['problem']>) =>
  new GatehouseError('salesforce_error', message, {
    next,
    fields: (at.result ?? at.check)?.failures.map(({ type, name, problem }) => ({ name: `${type} ${name}`, problem })),
  });

const STATES: Readonly<Record<ShownDeployment['state'], string>> = {
  waiting: 'waits for somebody to sign in to Salesforce',
  signed_in: 'somebody signed in; it was not tried yet',
  checking: 'Salesforce tries it',
  checked: 'was tried, and waits for a yes',
  deploying: 'Salesforce deploys it',
  deployed: 'is deployed',
  failed: 'failed',
  unknown: 'was sent, and nobody here knows what became of it',
  cancelled: 'was ended before it was deployed',
  expired: 'is over: nobody said yes in time',
};

function describeDeployment({ result, check, ...at }: ShownDeployment): readonly string[] {
  const report = result ?? check;
  const listed = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];
  return [
    `The package of ${at.bot} for the org ${at.orgId} ${STATES[at.state]}.`,
    ...(at.username === undefined ? [] : [`Signed in to Salesforce: ${at.username}`]),
    `SHA-256 ${at.digest}`,
    ...listed(
      result === undefined ? 'It would change:' : 'Changed:',
      (report?.parts ?? []).map(({ type, name, change }) => `${change}: ${type} ${name}`),
    ),
    ...(check === undefined || result !== undefined
      ? []
      : [
          ...listed(`The permission set ${at.permissionSet} gives besides:`, check.gains),
          ...listed('It gives these now, and the package does not name them:', check.loses),
        ]),
    ...(at.assigned === undefined ? [] : [`Given to the connected user: ${at.assigned}`]),
    ...(at.isSignInOver ? [] : ['Its sign-in is revoked when it is over.']),
  ];
}
