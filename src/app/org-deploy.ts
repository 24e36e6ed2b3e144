import { createHash, randomBytes } from 'node:crypto';
import type { Audit, Setter } from '../audit/audit.ts';
import { GatehouseError } from '../domain/errors.ts';
import type { Cipher } from '../ports/cipher.ts';
import {
  type AdminOrg,
  type AdminSession,
  type AdminSignIns,
  type DeploymentRow,
  type DeployState,
  isDeployOver,
} from '../ports/org-deploy.ts';
import type { Connections } from '../ports/salesforce.ts';
import type { Store } from '../ports/store.ts';
import { isUnknownOutcome, UpstreamError } from '../salesforce/transport/upstream-error.ts';
import type { OrgDeploy } from './org-deploy-form.ts';
import { reportOf, toShown } from './org-deploy-shown.ts';
import {
  again,
  EVENTS,
  expired,
  gone,
  lost,
  noneYet,
  notYours,
  problemOf,
  refusedIn,
  underWay,
} from './org-deploy-words.ts';
import type { OrgSetup, Prepared } from './org-setup.ts';

export interface OrgDeployDeps {
  readonly store: Pick<Store, 'bots' | 'connections' | 'deployments'>;
  readonly audit: Pick<Audit, 'record' | 'prove'>;
  readonly connections: Pick<Connections, 'admins'>;
  readonly setup: Pick<OrgSetup, 'prepare'>;
  /** A cipher of its own for each purpose. */
  readonly cipher: (purpose: string) => Cipher;
  readonly now: () => number;
  readonly newId: () => string;
  /** Crash points by name, for tests. */
  readonly crash?: ((point: string) => void | Promise<void>) | undefined;
}

const MOST_MS = 30 * 60_000;
const ASK_MS = 60_000;

export function createOrgDeploy(deps: OrgDeployDeps): OrgDeploy {
  const { store, audit, now } = deps;
  const rows = store.deployments;
  const hash = (text: string) => createHash('sha256').update(text).digest('hex');

  /** Sealed for one operator, bot, org and zip: moved to another row it opens no more. */
  const sealOf = ({ id, principal, bot, orgId, digest }: DeploymentRow) =>
    deps.cipher(`sign-in to deploy ${JSON.stringify([id, principal, bot, orgId, digest])}`);

  const admins = (): Promise<AdminSignIns> => deps.connections.admins();

  const note = (
    { id, bot, digest, orgId }: DeploymentRow,
    by: By,
    event: string,
    detail: Readonly<Record<string, unknown>> = {},
  ) => audit.record({ bot, ...by, action: 'org-deploy', event, detail: { id, orgId, digest, ...detail } });

  async function rowOf(id: string): Promise<DeploymentRow> {
    const row = await rows.get(id);
    if (row === undefined) throw gone();
    return row;
  }

  /** Only who began it goes on, in time, and to the org that it was made for. */
  async function own(id: string, by: Setter): Promise<DeploymentRow> {
    const row = await rowOf(id);
    if (row.principal !== by.principal) throw notYours(row);
    if (!isDeployOver(row.state) && row.expiresAt <= now()) {
      await end(row, 'expired', expired());
      throw expired();
    }
    return row;
  }

  /** Over, once; whatever is sealed is revoked. */
  async function end(
    row: DeploymentRow,
    state: DeployState,
    problem?: GatehouseError,
    patch: Partial<DeploymentRow> = {},
    by: By = HOUSE(row),
  ): Promise<boolean> {
    const told = problem === undefined ? null : JSON.stringify(problemOf(problem));
    const was = { state: row.state };
    const isMine = await rows.patchIf(row.id, was, { ...patch, state, problem: told, stateHash: null });
    if (isMine) await note(row, by, EVENTS[state] ?? state, problem === undefined ? {} : { why: problem.message });
    await revoke(await rowOf(row.id));
    return isMine;
  }

  async function revoke(row: DeploymentRow): Promise<void> {
    if (row.sealed === null || !isDeployOver(row.state)) return;
    const session = sessionIn(row);
    const isRevoked = session === undefined ? undefined : await (await admins()).revoke(session);
    // Later ones try again; past its time it is kept no longer, and whoever reads the log ends it by hand.
    if (isRevoked === false && row.expiresAt > now()) return;
    if (!(await rows.patchIf(row.id, { sealed: row.sealed }, { sealed: null }))) return;
    if (isRevoked !== undefined) await note(row, HOUSE(row), isRevoked ? 'sign_in_revoked' : 'sign_in_not_revoked');
  }

  /** The token, where the row has one that opens; what a sign-in is finished with is none. */
  function sessionIn(row: DeploymentRow): AdminSession | undefined {
    if (row.sealed === null) return undefined;
    let opened: Partial<AdminSession>;
    try {
      opened = JSON.parse(sealOf(row).decrypt(row.sealed)) as Partial<AdminSession>;
    } catch {
      return undefined;
    }
    return opened.accessToken === undefined ? undefined : (opened as AdminSession);
  }

  async function orgOf(row: DeploymentRow): Promise<AdminOrg> {
    const session = sessionIn(row);
    if (session === undefined) throw noneYet();
    return (await admins()).open(session, AbortSignal.timeout(ASK_MS));
  }

  /** The same zip as at the beginning, for the same org; otherwise nothing of it is used any more. */
  async function prepared(row: DeploymentRow): Promise<Prepared> {
    const bot = await store.bots.get(row.bot);
    if (bot === undefined) throw gone();
    const made = await deps.setup.prepare(bot, { events: row.withEvents === 1 }, AbortSignal.timeout(ASK_MS));
    if (made.orgId === row.orgId && made.digest === row.digest) return made;
    const moved = again(
      made.orgId === row.orgId
        ? 'What the bot needs of its org has changed since: this would be another package.'
        : 'The bot is connected to another org now.',
    );
    await end(row, 'failed', moved);
    throw moved;
  }

  async function signedIn(row: DeploymentRow, session: AdminSession, by: Setter): Promise<DeploymentRow> {
    const fresh = {
      ...row,
      state: 'signed_in',
      sealed: sealOf(row).encrypt(JSON.stringify(session)),
      username: session.username,
      stateHash: null,
    } as const;
    const { state, sealed, username, stateHash } = fresh;
    const isKept = await rows.patchIf(row.id, { state: 'waiting' }, { state, sealed, username, stateHash });
    if (!isKept) {
      await (await admins()).revoke(session);
      throw again('This deployment was ended while you signed in.');
    }
    await note(row, by, 'admin_signed_in', { username: session.username });
    return fresh;
  }

  async function check(row: DeploymentRow, by: Setter): Promise<DeploymentRow> {
    const made = await prepared(row);
    const org = await orgOf(row);
    const claimed = { state: 'checking', checkId: null } as const;
    if (!(await rows.patchIf(row.id, { state: row.state }, claimed))) return rowOf(row.id);
    try {
      const found = await org.permissionSet(row.permissionSet);
      if (found !== undefined && !found.isOurs)
        throw again(
          `A permission set ${row.permissionSet} stands in the org that Gatehouse did not make: it is not touched.`,
          'An admin renames or deletes it in Setup, then begin again.',
        );
      const gains = made.gives.filter((line) => found?.gives.includes(line) !== true);
      const loses = found?.gives.filter((line) => !made.gives.includes(line)) ?? [];
      const checkId = await org.deploy(made.zip, { checkOnly: true });
      const patch = { checkId, checked: JSON.stringify({ gains, loses, isNew: found === undefined }) };
      if (!(await rows.patchIf(row.id, claimed, patch))) return rowOf(row.id);
      await note(row, by, 'deploy_checked', { checkId });
      return await advance(await rowOf(row.id));
    } catch (error) {
      const now = await rowOf(row.id);
      // What did not arrive, or nobody knows whether it did, changed nothing: the same sign-in tries it again.
      if (isPassing(error) || !(error instanceof GatehouseError))
        await rows.patchIf(row.id, claimed, { state: 'signed_in' });
      else if (!isDeployOver(now.state)) await end(now, 'failed', error);
      throw error;
    }
  }

  /** One question to Salesforce, where it is at work. */
  async function advance(row: DeploymentRow): Promise<DeploymentRow> {
    if (row.state === 'checking') {
      // It is about to be sent, or the process that was at it died: whoever began it ends it then.
      if (row.checkId === null) return row;
      const report = await (await orgOf(row)).report(row.checkId);
      if (!report.isOver) return row;
      const checked = JSON.stringify({ ...reportOf(row.checked), report });
      if (report.isGood) await rows.patchIf(row.id, { state: 'checking' }, { state: 'checked', checked });
      else await end(row, 'failed', refusedIn(report), { checked });
      return rowOf(row.id);
    }
    if (row.state !== 'deploying') return row;
    const org = await orgOf(row);
    const deployId = row.deployId ?? (await lostId(row, org));
    if (deployId === undefined) return row;
    const report = await org.report(deployId);
    if (!report.isOver) return row;
    const assigned = report.isGood && row.withAssignment === 1 ? await assign(row, org) : undefined;
    const outcome = JSON.stringify({ report, ...(assigned === undefined ? {} : { assigned }) });
    await end(row, report.isGood ? 'deployed' : 'failed', report.isGood ? undefined : refusedIn(report), { outcome });
    return rowOf(row.id);
  }

  /** The answer with the id was lost: the org lists what this user sent since the try. More than one cannot be told apart. */
  async function lostId(row: DeploymentRow, org: AdminOrg): Promise<string | undefined> {
    const since = reportOf(row.checked).report?.createdAt ?? '';
    const [only, ...more] = await org.sentSince(since);
    if (only === undefined || more.length > 0) return undefined;
    await rows.patchIf(row.id, { state: 'deploying', deployId: null }, { deployId: only });
    return only;
  }

  async function assign(row: DeploymentRow, org: AdminOrg): Promise<string> {
    const { userId = '' } = (await store.connections.get(row.bot)) ?? {};
    try {
      const set = await org.permissionSet(row.permissionSet);
      if (set === undefined) return 'The permission set is not found in the org.';
      return (await org.assign(set.id, userId)) ? 'assigned' : 'had it already';
    } catch (error) {
      if (error instanceof GatehouseError) return `${error.message} ${error.next}`;
      throw error;
    }
  }

  async function look(id: string): Promise<DeploymentRow> {
    const row = await rowOf(id);
    if (isDeployOver(row.state)) {
      await revoke(row);
      return rowOf(id);
    }
    const met = await advance(row).catch((error: unknown) => {
      if (error instanceof GatehouseError) return error;
      throw error;
    });
    const latest = await rowOf(id);
    if (isDeployOver(latest.state)) return latest;
    if (latest.expiresAt <= now()) {
      // It may still be at work: what becomes of it is told by the org alone from here on.
      if (latest.state === 'deploying') await end(latest, 'unknown', lost(latest));
      else await end(latest, 'expired', expired());
    } else if (met instanceof GatehouseError && !isPassing(met))
      await end(latest, latest.state === 'deploying' ? 'unknown' : 'failed', met);
    return rowOf(id);
  }

  return {
    async begin(bot, { events }, by) {
      const made = await deps.setup.prepare(bot, { events }, AbortSignal.timeout(ASK_MS));
      for (const old of await rows.open(bot.name)) {
        if (old.state === 'deploying' && !isDeployOver((await look(old.id)).state)) throw underWay();
        await end(await rowOf(old.id), 'cancelled', undefined, {}, by);
      }
      const at = now();
      const row: DeploymentRow = {
        ...{ id: deps.newId(), bot: bot.name, principal: by.principal, orgId: made.orgId, digest: made.digest },
        ...{ permissionSet: made.permissionSet, withEvents: events ? 1 : 0, withAssignment: 0, state: 'waiting' },
        ...{ stateHash: null, sessionId: null, sealed: null, username: null, checkId: null, deployId: null },
        ...{ checked: null, outcome: null, problem: null, createdAt: at, expiresAt: at + MOST_MS },
      };
      await rows.add(row);
      await note(row, by, 'deploy_begun', { events });
      if (made.environment !== 'simulated' || !(await isEmbedded(bot.name))) return toShown(row);
      const session = await (await admins()).simulated(bot.name);
      return toShown(await check(await signedIn(row, session, by), by));
    },

    async signIn(id, by, { sessionId, redirectUri }) {
      const row = await own(id, by);
      if (row.state !== 'waiting') throw again('Somebody has signed in for this deployment already, or it is over.');
      const state = randomBytes(16).toString('base64url');
      const { url, verifier } = await (await admins()).begin(row.bot, { redirectUri, state });
      const sealed = sealOf(row).encrypt(JSON.stringify({ verifier, redirectUri }));
      await rows.patchIf(id, { state: 'waiting' }, { stateHash: hash(state), sessionId, sealed });
      await note(row, by, 'admin_sign_in_begun');
      return { url };
    },

    async finish({ sessionId, state, code, error }, by) {
      const row = state === undefined ? undefined : await rows.byState(hash(state));
      if (row === undefined) return undefined;
      // Good once, whoever brings it.
      if (!(await rows.patchIf(row.id, { stateHash: row.stateHash }, { stateHash: null }))) throw noneYet();
      await own(row.id, by);
      if (row.sessionId !== sessionId) throw notYours(row);
      if (error !== undefined || code === undefined) throw again('Nobody signed in to Salesforce.');
      const { verifier, redirectUri } = JSON.parse(sealOf(row).decrypt(row.sealed ?? '')) as {
        verifier: string;
        redirectUri: string;
      };
      let session: AdminSession;
      try {
        session = await (await admins()).finish(row.bot, { code, redirectUri, verifier });
      } catch (error) {
        if (error instanceof GatehouseError) await end(row, 'failed', error);
        throw error;
      }
      const fresh = await signedIn(row, session, by);
      // What comes of it is shown on the page of the deployment, where it can be tried again.
      return toShown(await check(fresh, by).catch((error: unknown) => orRow(error, fresh.id)));
    },

    async check(id, by) {
      const row = await own(id, by);
      if (row.state === 'waiting') throw noneYet();
      if (row.state !== 'signed_in' && row.state !== 'checked') return toShown(await look(id));
      return toShown(await check(row, by));
    },

    async deploy(id, by, { digest, assign: isAssigned }) {
      const row = await own(id, by);
      if (row.state === 'waiting' || row.state === 'signed_in' || row.state === 'checking') throw noneYet();
      if (row.state !== 'checked') return toShown(await look(id));
      if (digest !== row.digest) throw again('The yes was given to another package.');
      const made = await prepared(row);
      const org = await orgOf(row);
      const withAssignment = isAssigned ? 1 : 0;
      // From here on it counts as sent.
      if (!(await rows.patchIf(id, { state: 'checked' }, { state: 'deploying', withAssignment })))
        return toShown(await look(id));
      try {
        await note(row, by, 'deploy_approved', { assign: isAssigned });
        await audit.prove();
      } catch (error) {
        await rows.patchIf(id, { state: 'deploying', deployId: null }, { state: 'checked' });
        throw error;
      }
      try {
        await deps.crash?.('deploy.approved');
        const deployId = await org.deploy(made.zip, { checkOnly: false });
        await deps.crash?.('deploy.sent');
        await rows.patchIf(id, { state: 'deploying' }, { deployId });
      } catch (error) {
        if (error instanceof UpstreamError && error.outcome === 'not_sent') {
          await rows.patchIf(id, { state: 'deploying', deployId: null }, { state: 'checked' });
          throw error;
        }
        if (!isUnknownOutcome(error)) {
          if (error instanceof GatehouseError) await end(await rowOf(id), 'failed', error);
          throw error;
        }
      }
      return toShown(await look(id));
    },

    look: async (id) => toShown(await look(id)),

    async cancel(id, by) {
      const row = await own(id, by);
      if (row.state === 'deploying') throw underWay();
      if (!isDeployOver(row.state)) await end(row, 'cancelled', undefined, {}, by);
      return toShown(await rowOf(id));
    },

    list: async (bot) => (await rows.list(bot)).map(toShown),

    async leave(bot) {
      for (const row of await rows.open(bot)) {
        if (!isDeployOver(row.state)) await end(row, row.state === 'deploying' ? 'unknown' : 'cancelled');
        else await revoke(row);
      }
    },

    async tidy() {
      for (const { id } of await rows.open()) await look(id);
    },
  };

  async function isEmbedded(bot: string): Promise<boolean> {
    return (await store.connections.get(bot))?.flow === 'simulated';
  }

  async function orRow(error: unknown, id: string): Promise<DeploymentRow> {
    if (error instanceof GatehouseError) return rowOf(id);
    throw error;
  }
}

/** The session as it is may go on. */
const isPassing = (error: unknown): boolean =>
  error instanceof UpstreamError && (error.outcome !== 'refused' || error.infrastructure);

interface By {
  readonly principal: string;
  readonly channel: string;
}

/** Of a step that nobody pressed: for whom it is taken. */
const HOUSE = ({ principal }: DeploymentRow): By => ({ principal, channel: 'app' });
