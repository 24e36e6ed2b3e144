import type { Hono } from 'hono';
import { holds, isWithin, type Rights } from '../../../permissions/catalog.ts';
import { latestRecovery } from '../../access/operators.ts';
import { type ConsentBot, consentView } from '../../console/consent.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { httpFacts } from '../../domain/http-refusal.ts';
import { isSafeOrigin } from '../../domain/loopback.ts';
import { OAuthRefusal } from '../../domain/oauth-refusal.ts';
import type { BrowserSession } from '../../ports/access.ts';
import type { Identity, WaitingConsent } from '../../ports/identity.ts';
import { readForm } from '../body.ts';
import { requireCsrf } from '../caller.ts';
import { readCookie } from '../cookie.ts';
import type { HttpDeps } from '../deps.ts';
import { originOf } from '../guard.ts';
import type { Env } from '../hono-env.ts';
import { networkOf } from '../network.ts';
import { show } from '../pages/show.ts';
import { createRateLimit } from '../rate-limit.ts';

/** Where a client sends a person's browser, and where the person's answer goes. */
export function mountConsent(
  app: Hono<Env>,
  deps: Omit<HttpDeps, 'identity'> & { readonly identity: Identity },
  isSecure: boolean,
): readonly { method: string; path: string }[] {
  const { identity, access, config, now } = deps;
  const begins = createRateLimit({ most: 60, windowMs: 60_000, now });
  const answers = createRateLimit({ most: 10, windowMs: 60_000, now });

  const botsFor = async ({ bot }: WaitingConsent, rights: Rights): Promise<ConsentBot[]> => {
    const bots = (await deps.store.bots.list()).filter(
      ({ name }) => (bot === undefined || name === bot) && isWithin(rights, name),
    );
    return Promise.all(
      bots.map(async ({ name }) => ({
        name,
        actions: (await deps.gate.actions(name)).map(({ title, mayAsk }) => ({ title, mayAsk })),
      })),
    );
  };

  const showQuestion = async (session: BrowserSession, id: string, problem?: GatehouseError) => {
    const asked = await identity.waiting(id, session);
    if (asked === undefined) throw problem ?? gone();
    const body = consentView({
      asked,
      problem,
      csrf: session.csrf,
      person: session.name,
      bots: await botsFor(asked, session),
      mayWrite: holds(session, 'DECIDE_PROPOSALS'),
      mayAllowHost: holds(session, 'MANAGE_OPERATORS'),
    });
    // A redirect is part of the form's way: Chromium stops at one that the policy does not name. It knows no IPv6 address there.
    const { redirectOrigin } = asked;
    const formTargets = [redirectOrigin.includes('[') ? 'http:' : redirectOrigin];
    return show(
      {
        title: 'Connect a program',
        body,
        formTargets,
        ...(problem === undefined ? {} : { status: httpFacts(problem).status }),
      },
      {
        isSimulated: deps.isSimulated,
        signedIn: { operator: session, csrf: session.csrf, waiting: 0 },
        recovered: await latestRecovery(deps),
      },
    );
  };

  app.get('/oauth/authorize', async (c) => {
    c.set('route', '/oauth/authorize');
    const origin = originOf(c.get('host'), config);
    if (!isSafeOrigin(origin)) throw notHere();
    const { searchParams } = new URL(c.req.url);
    const id = searchParams.get('request');
    if (id === null) {
      begins.consume(networkOf(c.env.peer.address));
      return c.redirect(await identity.begin(searchParams, origin).catch(inWords), 302);
    }
    const session = await access.session(readCookie(c.req.raw.headers, isSecure));
    if (session === undefined)
      return c.redirect(
        `/sign-in?next=${encodeURIComponent(`/oauth/authorize?request=${encodeURIComponent(id)}`)}`,
        303,
      );
    return showQuestion(session, id);
  });

  app.post('/oauth/consent', async (c) => {
    c.set('route', '/oauth/consent');
    const session = await access.session(readCookie(c.req.raw.headers, isSecure));
    if (session === undefined)
      throw new GatehouseError('unauthenticated', 'Your session is over; nothing was allowed.', {
        next: 'Sign in, and begin again in the program that wants to connect.',
      });
    const form = await readForm(c.req.raw);
    requireCsrf(session, form.get('csrf'));
    answers.consume(session.id);
    const id = form.get('request') ?? '';
    const answer = form.get('answer');
    try {
      if (answer === 'deny') return c.redirect(await identity.decide(id, session, { kind: 'deny' }), 303);
      if (answer === 'allow-host') {
        access.require(session, 'MANAGE_OPERATORS');
        const asked = await identity.waiting(id, session);
        if (asked === undefined) throw gone();
        await identity.allowHost(asked.host, session);
        return c.redirect(`/oauth/authorize?request=${encodeURIComponent(id)}`, 303);
      }
      if (answer !== 'allow')
        throw new GatehouseError('invalid_input', 'The form came without an answer.', {
          next: 'Press Allow, or Do not allow.',
        });
      const mayWrite = form.get('write') === 'yes';
      return c.redirect(
        await identity.decide(id, session, { kind: 'allow', bot: form.get('bot') ?? '', mayWrite }),
        303,
      );
    } catch (error) {
      if (!(error instanceof GatehouseError)) throw error;
      return showQuestion(session, id, error);
    }
  });

  return [
    { method: 'GET', path: '/oauth/authorize' },
    { method: 'POST', path: '/oauth/consent' },
  ];
}

/** Where there is no going back to the program, the person is told: never by a redirect. */
function inWords(error: unknown): never {
  if (!(error instanceof OAuthRefusal)) throw error;
  throw new GatehouseError('invalid_input', error.message, {
    next: 'Begin again in the program: remove this server there, and add it anew. Nothing was allowed.',
  });
}

const gone = () =>
  new GatehouseError('conflict', 'This question was answered already, or is older than ten minutes.', {
    next: 'Begin again in the program that wants to connect.',
  });

const notHere = () =>
  new GatehouseError('permission_denied', 'Nobody signs in over plain HTTP from another machine.', {
    next: 'Set GATEHOUSE_URL to the https address of this server.',
  });
