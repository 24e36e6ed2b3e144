import { GatehouseError } from '../../domain/errors.ts';
import { isRecord } from '../../domain/is-record.ts';
import { receivedId } from '../../domain/salesforce-id.ts';
import type { AdminSession, AdminSignIns } from '../../ports/org-deploy.ts';
import type { ConnectionStore } from '../../ports/store.ts';
import { SIMULATED } from '../transport/hosts.ts';
import type { Transport } from '../transport/http.ts';
import { type Apps, ownApp } from './apps.ts';
import { type Grant, notSalesforce } from './oauth.ts';
import { type Session, usable } from './session.ts';

/** Administrators at the org of a bot: who they are is theirs alone, and ends with what they signed in for. */
export function createAdminSignIns(deps: {
  readonly transport: Transport;
  readonly apps: Apps;
  readonly rows: ConnectionStore;
  readonly session: Pick<Session, 'tokens'>;
  readonly random: (bytes: number) => Uint8Array;
}): Omit<AdminSignIns, 'open'> {
  const { transport, apps, rows, session, random } = deps;

  async function way(bot: string) {
    const row = usable(await rows.get(bot));
    const oauth = row.flow === 'simulated' ? apps.by(undefined) : apps.by(ownApp(await session.tokens(row)));
    return { row, oauth };
  }

  async function mustBeThere(
    row: { readonly orgId: string; readonly loginUrl: string },
    grant: Grant,
  ): Promise<AdminSession> {
    const orgId = receivedId(grant.orgId) ?? grant.orgId;
    if (orgId !== row.orgId) {
      if (orgId === '') throw notSalesforce();
      throw new GatehouseError('conflict', `You signed in to another org (${orgId}) than the bot's (${row.orgId}).`, {
        next: 'Nothing was sent there, and that sign-in was revoked. Sign in once more, to the org of the bot: a private window forgets the other one.',
      });
    }
    const instanceUrl = row.loginUrl === SIMULATED ? SIMULATED : transport.origin(grant.instanceUrl);
    const userId = receivedId(grant.userId) ?? grant.userId;
    const { json } = await transport.exchange({
      method: 'GET',
      base: instanceUrl,
      path: `/id/${orgId}/${userId}`,
      headers: { authorization: `Bearer ${grant.accessToken}` },
      isRead: true,
    });
    const username = isRecord(json) && typeof json.username === 'string' ? json.username : userId;
    return { accessToken: grant.accessToken, instanceUrl, userId, username };
  }

  return {
    async begin(bot, { redirectUri, state }) {
      const { row, oauth } = await way(bot);
      const verifier = Buffer.from(random(48)).toString('base64url');
      const ask = { redirectUri, state, verifier, scope: 'api', isAsked: true } as const;
      return { url: oauth.authorizeUrl(row.loginUrl, ask), verifier };
    },
    async finish(bot, back) {
      const there = await way(bot);
      const grant = await there.oauth.redeem(there.row.loginUrl, back);
      try {
        return await mustBeThere(there.row, grant);
      } catch (error) {
        // Whatever came between: nobody would end it later.
        await there.oauth.revoke(there.row.loginUrl, grant.accessToken);
        throw error;
      }
    },
    async simulated(bot) {
      const there = await way(bot);
      return mustBeThere(there.row, await there.oauth.simulated());
    },
    async revoke({ accessToken, instanceUrl }) {
      return apps.by(undefined).revoke(instanceUrl, accessToken);
    },
  };
}
