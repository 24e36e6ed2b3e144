import { holds, isWithin, type Rights } from '../../permissions/catalog.ts';
import { sha256 } from '../domain/canonical-json.ts';
import { GatehouseError } from '../domain/errors.ts';
import { OAuthRefusal } from '../domain/oauth-refusal.ts';
import { SCOPES, type Scope, scopesIn, withReading } from '../domain/scopes.ts';
import type { Identity, OAuthClient } from '../ports/identity.ts';
import type { IdentityDeps } from './deps.ts';
import { backTo, isKnownHost, isLoopbackRedirect, isRegistered } from './redirects.ts';

/** From a client's question to a person's yes: what was asked waits as a row, and the yes is a code of one minute. */

/** What waits for a person. The client's own `state` goes back as it came. */
interface Asked {
  readonly client: Omit<OAuthClient, 'redirects'>;
  readonly redirectUri: string;
  readonly state?: string | undefined;
  readonly challenge: string;
  readonly resource: string;
  readonly scopes: readonly Scope[];
  readonly issuer: string;
  /** Of the browser that looks at it. */
  readonly session?: string;
}

const ASKED = 'oauth.asked';
const ASKED_MS = 10 * 60_000;
const CODE_MS = 60_000;
const ALLOWED_HOST = 'oauth.host';
const MOST_STATE = 4_000;
/** Of OAuth each may come once (RFC 6749 3.1). */
const PARAMETERS = [
  'client_id',
  'redirect_uri',
  'response_type',
  'response_mode',
  'code_challenge',
  'code_challenge_method',
  'scope',
  'state',
  'resource',
  'prompt',
];

export function createConsent(deps: IdentityDeps): Pick<Identity, 'begin' | 'waiting' | 'decide' | 'allowHost'> {
  const { store, clients, random, now } = deps;

  const read = async (id: string): Promise<Asked | undefined> => {
    const text = await store.values.get(ASKED, id, now());
    return text === undefined ? undefined : (JSON.parse(text) as Asked); // our own writing
  };
  const isAllowed = async (redirect: string) =>
    isLoopbackRedirect(redirect) ||
    isKnownHost(redirect) ||
    (await store.values.get(ALLOWED_HOST, new URL(redirect).host, now())) !== undefined;

  return {
    async begin(asked, origin) {
      for (const name of PARAMETERS)
        if (asked.getAll(name).length > 1)
          throw new OAuthRefusal('invalid_request', `${name} was sent more than once.`);
      const client = await clients.find(asked.get('client_id') ?? '');
      const [only, ...others] = client.redirects;
      const redirectUri = asked.get('redirect_uri') ?? (others.length === 0 ? only : undefined);
      if (redirectUri === undefined || !isRegistered(client.redirects, redirectUri))
        throw new OAuthRefusal('invalid_request', 'The address to go back to is not one that this program registered.');
      const state = asked.get('state') ?? undefined;
      if ((state ?? '').length > MOST_STATE) throw new OAuthRefusal('invalid_request', 'The state is too long.');
      const wrong = refusalOf(asked, origin);
      // From here on the program itself is told.
      if (wrong !== undefined)
        return backTo(redirectUri, { error: wrong.code, error_description: wrong.message, state, iss: origin });
      const waiting: Asked = {
        client: { key: client.key, name: client.name, document: client.document },
        redirectUri,
        state,
        challenge: asked.get('code_challenge') ?? '',
        resource: asked.get('resource') ?? `${origin}/mcp`,
        scopes: askedScopes(asked.get('scope')),
        issuer: origin,
      };
      const id = random(24);
      await store.values.set(ASKED, id, JSON.stringify(waiting), now() + ASKED_MS);
      return `/oauth/authorize?request=${id}`;
    },

    async waiting(id, session) {
      const asked = await read(id);
      if (asked === undefined) return undefined;
      await store.values.set(ASKED, id, JSON.stringify({ ...asked, session: session.id }), now() + ASKED_MS);
      const { host, origin } = new URL(asked.redirectUri);
      return {
        id,
        client: { name: asked.client.name, host: asked.client.document?.host, isProven: isProven(asked) },
        host,
        isLoopback: isLoopbackRedirect(asked.redirectUri),
        isAllowed: await isAllowed(asked.redirectUri),
        redirectOrigin: origin,
        bot: botIn(asked.resource),
        asksToWrite: asked.scopes.includes('gatehouse:write'),
      };
    },

    async decide(id, session, answer) {
      const asked = await read(id);
      if (asked === undefined || asked.session !== session.id) throw tooLate();
      if (answer.kind === 'allow') await checkAnswer(asked, answer.bot, session);
      // Taken by exactly one.
      if ((await store.values.consume(ASKED, id, now())) === undefined) throw tooLate();
      const back = { state: asked.state, iss: asked.issuer };
      if (answer.kind === 'deny')
        return backTo(asked.redirectUri, { error: 'access_denied', error_description: 'The person said no.', ...back });
      const code = random(32);
      await store.identity.addCode({
        hash: sha256(code),
        operator: session.name,
        bot: answer.bot,
        client: asked.client.key,
        clientName: asked.client.name,
        redirectUri: asked.redirectUri,
        resource: asked.resource,
        scopes: withReading(answer.mayWrite ? asked.scopes : ['gatehouse:read'])
          .filter((scope) => mayAsk(session, scope))
          .join(' '),
        challenge: asked.challenge,
        expiresAt: now() + CODE_MS,
      });
      return backTo(asked.redirectUri, { code, ...back });
    },

    async allowHost(host, session) {
      await deps.audit.record({
        principal: `operator:${session.name}`,
        channel: 'console',
        action: 'sign-in',
        event: 'client_allowed',
        detail: { host },
      });
      await store.values.set(ALLOWED_HOST, host, JSON.stringify({ by: session.name, at: now() }), null);
    },
  };

  async function checkAnswer({ redirectUri, resource }: Asked, bot: string, rights: Rights): Promise<void> {
    if (!(await isAllowed(redirectUri)))
      throw new GatehouseError(
        'permission_denied',
        `No admin has let codes be sent to ${new URL(redirectUri).host} yet.`,
        {
          next: 'Have an admin open the same page and allow it.',
        },
      );
    const fixed = botIn(resource);
    const isTheirs = (fixed === undefined || fixed === bot) && isWithin(rights, bot);
    if (isTheirs && (await store.bots.get(bot)) !== undefined) return;
    throw new GatehouseError(
      'invalid_input',
      'There is no such bot, or the address of the program names another one.',
      {
        next: 'Choose one of the bots of the page, or correct the address in the program.',
        fields: [{ name: 'bot', problem: 'is none of the list' }],
      },
    );
  }
}

/** The redirect leads to who published the document: a program on a computer may be any that read it. */
function isProven({ client: { document }, redirectUri }: Asked): boolean {
  if (document === undefined || isLoopbackRedirect(redirectUri)) return false;
  return document.isPinned || document.host === new URL(redirectUri).host;
}

/** A viewer changes nothing anywhere, so neither does a program in their name. */
export function mayAsk(rights: Rights, scope: Scope): boolean {
  return holds(rights, scope === 'gatehouse:write' ? 'DECIDE_PROPOSALS' : 'READ_INTEGRATIONS');
}

/** `/mcp/{bot}` is one bot's address. */
const RESOURCE = /^\/mcp(?:\/([^/]+))?$/;

function botIn(resource: string): string | undefined {
  const [, name] = RESOURCE.exec(new URL(resource).pathname) ?? [];
  return name === undefined ? undefined : decodeURIComponent(name);
}

/** The addresses that a token may be for: ours, as the person typed it. */
function isResource(resource: string, origin: string): boolean {
  if (!resource.startsWith(`${origin}/`) || !/^[\w\-.~%/]*$/.test(resource.slice(origin.length))) return false;
  try {
    return RESOURCE.test(decodeURIComponent(resource.slice(origin.length)));
  } catch {
    return false;
  }
}

function refusalOf(asked: URLSearchParams, origin: string): OAuthRefusal | undefined {
  if (asked.get('response_type') !== 'code' || !['query', null].includes(asked.get('response_mode')))
    return new OAuthRefusal('unsupported_response_type', 'Ask for response_type=code, in the query.');
  if (asked.get('code_challenge_method') !== 'S256' || !/^[\w\-.~]{43,128}$/.test(asked.get('code_challenge') ?? ''))
    return new OAuthRefusal('invalid_request', 'PKCE is needed: a code_challenge by the method S256.');
  if (!isResource(asked.get('resource') ?? `${origin}/mcp`, origin))
    return new OAuthRefusal('invalid_target', `The resource is ${origin}/mcp, or ${origin}/mcp/BOT.`);
  if (asked.get('prompt') === 'none')
    return new OAuthRefusal('login_required', 'A person has to look at what is asked.');
  return undefined;
}

/** None of ours, or none at all, means whatever there is. */
function askedScopes(scope: string | null): readonly Scope[] {
  const known = scopesIn(scope ?? '');
  return known.length === 0 ? SCOPES : withReading(known);
}

function tooLate(): GatehouseError {
  return new GatehouseError(
    'conflict',
    'This question was answered already, is older than ten minutes, or was opened by somebody else since.',
    {
      next: 'Begin again in the program that wants to connect.',
    },
  );
}
