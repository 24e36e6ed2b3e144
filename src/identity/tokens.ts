import { createHash } from 'node:crypto';
import { isWithin } from '../../permissions/catalog.ts';
import { isSameSecret, sha256 } from '../domain/canonical-json.ts';
import { GatehouseError } from '../domain/errors.ts';
import { OAuthRefusal } from '../domain/oauth-refusal.ts';
import { scopesIn } from '../domain/scopes.ts';
import type { Identity, TokenAnswer } from '../ports/identity.ts';
import type { AccessGrantRow, AccessTokenRow, AuditRow, Store } from '../ports/store.ts';
import { mayAsk } from './consent.ts';
import type { IdentityDeps } from './deps.ts';

/** Codes become tokens, and tokens others: opaque, kept as hashes, of one grant whose end is theirs. */

const ACCESS_MS = 60 * 60_000;
const DAY_MS = 24 * 3_600_000;
/** A grant ends when nobody used it for so long, */
const IDLE_MS = 30 * DAY_MS;
/** and at the latest then. */
const LONGEST_MS = 180 * DAY_MS;
/** Lost answers, and parallel processes of one client, present a refresh token twice. */
const GRACE_MS = 60_000;
const USE_NOTED_MS = 5 * 60_000;

/** What a transaction decided; a refusal is thrown once it stands, so that what it ended stays ended. */
type Outcome =
  | { readonly answer: TokenAnswer; readonly note?: AuditRow }
  | { readonly refused: OAuthRefusal; readonly note?: AuditRow };

export function createTokens(
  deps: IdentityDeps,
): Pick<Identity, 'token' | 'revoke' | 'verify' | 'standing' | 'apps' | 'end'> {
  const { store, clients, audit, random, newId, now } = deps;

  const within = async (work: (inside: Store) => Promise<Outcome>): Promise<TokenAnswer> => {
    const outcome = await store.atomically(work);
    if (outcome.note !== undefined) await audit.keep(outcome.note);
    if ('refused' in outcome) throw outcome.refused;
    return outcome.answer;
  };

  const note = (
    grant: AccessGrantRow,
    event: string,
    inside: Store,
    by: { principal?: string; channel?: string } = {},
  ) =>
    audit.append(
      {
        bot: grant.bot,
        principal: by.principal ?? `operator:${grant.operator}`,
        channel: by.channel ?? 'mcp',
        action: 'sign-in',
        event,
        detail: { grant: grant.id, host: grant.host, scopes: grant.scopes, operator: grant.operator },
      },
      inside,
    );

  const mint = async (grant: AccessGrantRow, inside: Store): Promise<TokenAnswer> => {
    const access = `ghp_${random(32)}`;
    const refresh = `ghr_${random(32)}`;
    const of = (token: string, kind: AccessTokenRow['kind'], expiresAt: number): AccessTokenRow => ({
      hash: sha256(token),
      grant: grant.id,
      kind,
      expiresAt,
      rotatedAt: null,
    });
    const expiresAt = Math.min(now() + ACCESS_MS, grant.expiresAt);
    await inside.identity.addTokens([of(access, 'access', expiresAt), of(refresh, 'refresh', grant.expiresAt)]);
    return {
      access_token: access,
      token_type: 'Bearer',
      expires_in: Math.floor((expiresAt - now()) / 1000),
      refresh_token: refresh,
      scope: grant.scopes,
    };
  };

  const timesOf = (createdAt: number) => ({
    usedAt: now(),
    expiresAt: Math.min(now() + IDLE_MS, createdAt + LONGEST_MS),
  });

  const byCode = (form: URLSearchParams, client: string) =>
    within(async (inside) => {
      const codeHash = sha256(form.get('code') ?? '');
      const code = await inside.identity.takeCode(codeHash);
      if (code === undefined) {
        // Presented twice: one of the two is a thief, and nobody can tell which.
        const grant = await inside.identity.grantOfCode(codeHash);
        if (grant === undefined || !(await inside.identity.end(grant.id))) return { refused: spent() };
        return { refused: spent(), note: await note(grant, 'token_reused', inside) };
      }
      const redirect = form.get('redirect_uri');
      if (code.expiresAt <= now() || code.client !== client || (redirect !== null && redirect !== code.redirectUri))
        return { refused: spent() };
      if (!isVerified(form.get('code_verifier') ?? '', code.challenge))
        return { refused: new OAuthRefusal('invalid_grant', 'The code_verifier does not fit the code_challenge.') };
      if ((form.get('resource') ?? code.resource) !== code.resource) return { refused: wrongTarget() };
      const { operator, bot, clientName, resource, scopes } = code;
      const host = new URL(code.redirectUri).host;
      const grant = {
        ...{ id: newId(), operator, bot, client, clientName, host, resource, scopes, codeHash, createdAt: now() },
        ...timesOf(now()),
      };
      await inside.identity.prune(now());
      await inside.identity.addGrant(grant);
      return { answer: await mint(grant, inside), note: await note(grant, 'access_granted', inside) };
    });

  const byRefresh = async (form: URLSearchParams, client: string) => {
    const hash = sha256(form.get('refresh_token') ?? '');
    const known = await store.identity.token(hash);
    if (known?.token.kind !== 'refresh' || known.grant.client !== client) throw ended();
    // Before its grant is held, which would give it another month.
    if (known.token.expiresAt <= now()) throw ended();
    const { grant } = known;
    if ((form.get('resource') ?? grant.resource) !== grant.resource) throw wrongTarget();
    const more = scopesIn(form.get('scope') ?? '').filter((scope) => !scopesIn(grant.scopes).includes(scope));
    if (more.length > 0)
      throw new OAuthRefusal('invalid_scope', `A person has to allow ${more.join(' ')} first: sign in once more.`);
    return within(async (inside) => {
      const times = timesOf(grant.createdAt);
      // The grant's row first: a refresh under way cannot bring back what is being revoked.
      if (!(await inside.identity.holdGrant(grant.id, times))) return { refused: ended() };
      const current = await inside.identity.token(hash);
      if (current === undefined) return { refused: ended() };
      const { rotatedAt } = current.token;
      if (rotatedAt !== null && now() - rotatedAt > GRACE_MS) {
        await inside.identity.end(grant.id);
        return { refused: ended(), note: await note(grant, 'token_reused', inside) };
      }
      await inside.identity.rotate(hash, now());
      return { answer: await mint({ ...grant, ...times }, inside) };
    });
  };

  const end: Identity['end'] = async (id, by) => {
    const row = await store.atomically(async (inside) => {
      const grant = await inside.identity.get(id);
      if (grant === undefined || (by.operator !== undefined && grant.operator !== by.operator)) return undefined;
      await inside.identity.end(id);
      return note(grant, 'access_revoked', inside, by);
    });
    if (row !== undefined) await audit.keep(row);
    return row !== undefined;
  };

  return {
    async token(form) {
      for (const name of new Set(form.keys()))
        if (form.getAll(name).length > 1) throw new OAuthRefusal('invalid_request', `${name} was sent more than once.`);
      const client = clients.keyOf(form.get('client_id') ?? '');
      if (client === undefined)
        throw new OAuthRefusal('invalid_client', 'This program is not registered here: register again.');
      const how = form.get('grant_type');
      if (how === 'authorization_code') return byCode(form, client);
      if (how === 'refresh_token') return byRefresh(form, client);
      throw new OAuthRefusal('unsupported_grant_type', 'Use authorization_code or refresh_token.');
    },

    async revoke(form) {
      const known = await store.identity.token(sha256(form.get('token') ?? ''));
      if (known === undefined) return;
      const client = form.get('client_id');
      if (client !== null && sha256(client) !== known.grant.client) return;
      await end(known.grant.id, { principal: `operator:${known.grant.operator}`, channel: 'mcp' });
    },

    async verify(token, resource) {
      const known = await store.identity.token(sha256(token));
      const isLive = known?.token.kind === 'access' && known.token.expiresAt > now();
      if (!isLive || known.grant.resource !== resource || !isWithin(known.rights, known.grant.bot))
        throw new GatehouseError('unauthenticated', 'This sign-in is over, or was made for another address.', {
          next: 'Sign in again in your MCP client.',
        });
      const { grant, rights } = known;
      if (now() - grant.usedAt > USE_NOTED_MS) await store.identity.noteUse(grant.id, now());
      const scopes = scopesIn(grant.scopes).filter((scope) => mayAsk(rights, scope));
      return { bot: grant.bot, principal: `operator:${grant.operator}`, grant: grant.id, scopes };
    },

    standing: async (grants) => new Set(await store.identity.standing(grants, now())),

    async apps({ operator } = {}) {
      const rows = (await store.identity.list(operator)).filter(({ expiresAt }) => expiresAt > now());
      return rows.map(({ client: _, codeHash: __, resource: ___, clientName, scopes, ...row }) => ({
        ...row,
        client: clientName,
        scopes: scopesIn(scopes),
      }));
    },

    end,
  };
}

/** RFC 7636 4.6. */
function isVerified(verifier: string, challenge: string): boolean {
  if (!/^[\w\-.~]{43,128}$/.test(verifier)) return false;
  return isSameSecret(createHash('sha256').update(verifier, 'ascii').digest('base64url'), challenge);
}

const spent = () =>
  new OAuthRefusal(
    'invalid_grant',
    'The code was used already, is older than a minute, or belongs to another program or redirect.',
  );
const ended = () => new OAuthRefusal('invalid_grant', 'This sign-in is over: sign in once more.');
const wrongTarget = () => new OAuthRefusal('invalid_target', 'The sign-in was made for another resource.');
