import { createHash } from 'node:crypto';
import type { Action, ObjectDescribe } from '../domain/action.ts';
import { GatehouseError } from '../domain/errors.ts';
import { compareRights, type HeldObject, type NeededObject, type RightsCheck } from '../domain/rights.ts';
import { needsOf } from '../policy/needs.ts';
import type { Connections, Org } from '../ports/salesforce.ts';
import type { BotRow } from '../ports/store.ts';
import type { SyncUse } from '../ports/sync.ts';
import { type OrgPackage, packageFor } from '../salesforce/metadata/package.ts';
import { zipOf } from '../salesforce/metadata/zip.ts';

/** What a bot needs of its org beside what it has there: loaded by who asks. */

export interface OrgSetupDeps {
  readonly connections: Pick<Connections, 'open' | 'status'>;
  readonly actions: readonly Action[];
  readonly apiVersion: string;
  readonly syncUse: (bot: string) => Promise<readonly SyncUse[]>;
}

export interface OrgCheck extends RightsCheck {
  readonly username: string | undefined;
  readonly needs: readonly NeededObject[];
}

export interface OrgSetup {
  /** What the connected user may do now, asked afresh, compared with what the bot needs. */
  check(bot: BotRow, signal: AbortSignal): Promise<OrgCheck>;
  /** What an admin deploys or clicks so that the bot works and may do no more. Nothing is sent. */
  prepare(bot: BotRow, wish: { readonly events: boolean }, signal: AbortSignal): Promise<Prepared>;
}

export interface Prepared extends Pick<OrgPackage, 'permissionSet' | 'gives' | 'parts' | 'clicks'> {
  readonly zip: Buffer;
  /** Of the zip, SHA-256. */
  readonly digest: string;
  readonly orgId: string;
  /** Of the user that the bot is connected as. */
  readonly userId: string;
  readonly environment: Org['environment'];
  readonly username: string;
}

export const createOrgSetup = (deps: OrgSetupDeps): OrgSetup => ({
  check: (bot, signal) => check(deps, bot, signal),
  prepare: (bot, wish, signal) => prepare(deps, bot, wish, signal),
});

async function check(deps: OrgSetupDeps, bot: BotRow, signal: AbortSignal): Promise<OrgCheck> {
  const org = await deps.connections.open(bot.name, { signal });
  const { needs, describes } = await readNeeds(deps, bot, org, true);
  const held = await org.rights();
  const objects = new Map(held.objects.map((one) => [one.object.toLowerCase(), one]));
  for (const [key, describe] of describes) {
    const listed = objects.get(key) ?? { ...NOTHING, object: describe.name };
    objects.set(key, { ...listed, fields: describe.fields.map(toHeld) });
  }
  const { username } = await deps.connections.status(bot.name);
  return { username, needs, ...compareRights(needs, { objects: [...objects.values()], system: held.system }) };
}

const NOTHING: Omit<HeldObject, 'object'> = {
  ...{ create: false, edit: false, delete: false, viewAll: false, modifyAll: false },
  fields: undefined,
};

const toHeld = ({ name, createable, updateable, isPermissionable = false }: ObjectDescribe['fields'][number]) => ({
  name,
  isEditable: createable || updateable,
  isPermissionable,
});

async function prepare(
  deps: OrgSetupDeps,
  bot: BotRow,
  wish: { readonly events: boolean },
  signal: AbortSignal,
): Promise<Prepared> {
  const org = await deps.connections.open(bot.name, { signal });
  const { needs, describes, uses } = await readNeeds(deps, bot, org, true);
  if (needs.length === 0)
    throw new GatehouseError(
      'invalid_input',
      `${bot.name} needs nothing of its org: it is granted nothing, and no record of it is synced.`,
      {
        next: `Grant it what it is for first: gatehouse grant ${bot.name} PERMISSION.`,
      },
    );
  const { username = 'the connected user' } = await deps.connections.status(bot.name);
  const mapped = uses.flatMap(({ action, objects: [first] }) =>
    action === null || first === undefined ? [] : [first],
  );
  const events = wish.events
    ? needs
        .map(({ object }) => object)
        .filter((name) => mapped.some(({ object }) => object.toLowerCase() === name.toLowerCase()))
    : [];
  const { connectionId, environment, orgId, userId } = org;
  const version = deps.apiVersion.replace(/^v/, '');
  const { files, ...made } = packageFor({ bot: bot.name, connectionId, username, needs, describes, events, version });
  const zip = zipOf(files);
  return { ...made, zip, digest: createHash('sha256').update(zip).digest('hex'), orgId, userId, environment, username };
}

/** Needs, and the objects that they name as far as the org shows them. */
async function readNeeds(deps: OrgSetupDeps, bot: BotRow, org: Pick<Org, 'describe'>, isFresh: boolean) {
  const uses = await deps.syncUse(bot.name);
  const named = needsOf(bot, deps.actions, uses).map(({ object }) => object);
  const found = await Promise.all(
    named.map((object) =>
      org.describe(object, { isFresh }).catch((error: unknown) => {
        if (error instanceof GatehouseError && error.code === 'not_found') return undefined;
        throw error;
      }),
    ),
  );
  const describes = new Map(
    found.flatMap((one) => (one === undefined ? [] : [[one.name.toLowerCase(), one] as const])),
  );
  return { needs: needsOf(bot, deps.actions, uses, describes), describes, uses };
}
