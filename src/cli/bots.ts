import type { ActionPermission } from '../../permissions/catalog.ts';
import { shippedPolicy } from '../../permissions/policy.ts';
import { type Audience, PROFILES, type ProfileName } from '../../permissions/profiles.ts';
import type { App } from '../app/app.ts';
import { GatehouseError } from '../domain/errors.ts';

/** Bots as the commands make and find them. */

export interface NewBot {
  readonly bot: string;
  readonly key: string;
  readonly hostKey: string;
  readonly grants: readonly string[];
}

/** On the simulated org a new bot starts connected (X1). The keys are in the clear this once. */
export async function createBot(app: App, name: string, profile: ProfileName | undefined, by: string): Promise<NewBot> {
  if (!/^[a-z0-9][a-z0-9_-]{0,62}$/.test(name))
    throw new GatehouseError('invalid_input', `${JSON.stringify(name.slice(0, 80))} is not a usable bot name.`, {
      next: 'Use 1-63 lower-case letters, digits, dashes or underscores, a letter or digit first.',
      fields: [{ name: 'name', problem: 'not a usable name' }],
    });
  if (!(await insertBot(app, name, profile, by)))
    throw new GatehouseError('conflict', `There is a bot named ${name} already.`, {
      next: `Choose another name, or make it a new key: gatehouse bot key ${name}.`,
    });
  return {
    bot: name,
    key: await app.access.issueKey('agent', name),
    hostKey: await app.access.issueKey('host', name),
    grants: toReadySet(profile).grants,
  };
}

/** The bot that everything can be tried with. Safe when two processes start at once: one of them makes it. */
export async function ensureDemoBot(app: App): Promise<{ readonly isNew: boolean }> {
  if (await insertBot(app, DEMO_BOT, 'internal', 'first start')) return { isNew: true };
  await connectDemoBot(app);
  return { isNew: false };
}

/** The process that made it may have died before it connected it. */
export async function connectDemoBot(app: App): Promise<void> {
  // Asked of the store: the status of a connection has more to load, and every start would wait for it.
  if ((await app.store.connections.get(DEMO_BOT)) === undefined)
    await app.connections.connect(DEMO_BOT, { flow: 'simulated' });
}

export const DEMO_BOT = 'demo';

/** Without a profile a bot holds nothing until it is granted something (P2). */
export function toReadySet(profile: ProfileName | undefined): {
  readonly audience: Audience;
  readonly grants: readonly ActionPermission[];
} {
  return profile === undefined ? { audience: 'internal', grants: [] } : PROFILES[profile];
}

async function insertBot(app: App, name: string, profile: ProfileName | undefined, by: string): Promise<boolean> {
  const { audience, grants } = toReadySet(profile);
  const isNew =
    (await app.store.bots.get(name)) === undefined &&
    (await app.store.bots.create({
      name,
      audience,
      profile: profile ?? 'none',
      grants,
      createdAt: app.now(),
      policy: shippedPolicy(audience, app.actions),
    }));
  if (!isNew) return false;
  await app.audit.record({
    bot: name,
    principal: by,
    channel: 'cli',
    action: 'bot create',
    event: 'bot_created',
    detail: { profile: profile ?? 'none', grants },
  });
  if (app.isSimulated) await app.connections.connect(name, { flow: 'simulated' });
  return true;
}
