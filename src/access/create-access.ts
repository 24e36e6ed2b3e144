import { createHmac, randomBytes } from 'node:crypto';
import { holds, isWithin, whoHolds } from '../../permissions/catalog.ts';
import { isSameSecret, sha256 } from '../domain/canonical-json.ts';
import { GatehouseError } from '../domain/errors.ts';
import type { Session } from '../domain/session.ts';
import type { Access, BrowserSession, Operator } from '../ports/access.ts';
import type { KeyKind, Store } from '../ports/store.ts';

const PREFIX = { agent: 'gha_', host: 'ghh_', operator: 'gho_' } as const satisfies Record<KeyKind, string>;
const LINK_MS = 10 * 60_000;
const SESSION_MS = 12 * 3_600_000;

export interface AccessDeps {
  readonly store: Pick<Store, 'keys' | 'operators' | 'bots'>;
  readonly secret: string;
  readonly now: () => number;
}

export function createAccess({ store, secret, now }: AccessDeps): Access {
  const random = (bytes = 32) => randomBytes(bytes).toString('base64url');

  const ownerOf = async (kind: KeyKind, key: string | undefined): Promise<{ owner: string; id: string }> => {
    if (key === undefined || key === '')
      throw new GatehouseError('unauthenticated', `No ${kind} key was given.`, {
        next: `Send it as "Authorization: Bearer KEY". ${HOW_TO_GET[kind]}`,
      });
    const row = await store.keys.byHash(sha256(key));
    if (row === undefined || row.revokedAt !== null)
      throw new GatehouseError('unauthenticated', 'This key is not known here, or was revoked.', {
        next: HOW_TO_GET[kind],
      });
    if (row.kind !== kind)
      throw new GatehouseError('permission_denied', `This is ${A[row.kind]} key; ${A[kind]} key is needed here.`, {
        next:
          kind === 'operator'
            ? 'Only a person can do this: sign in to the console, or use an operator key. Do not retry with this key.'
            : HOW_TO_GET[kind],
      });
    return { owner: row.owner, id: row.id };
  };

  const operatorNamed = async (name: string): Promise<Operator> => {
    const row = await store.operators.get(name);
    if (row === undefined)
      throw new GatehouseError('unauthenticated', 'The operator of this sign-in no longer exists.', {
        next: 'Ask an admin for a new operator key.',
      });
    return toOperator(row);
  };

  /** A bot that was deleted took its keys along: one of the same name has others. */
  const isLiveHost = async (bot: string, principal: string | undefined): Promise<boolean> =>
    (await store.keys.list(bot)).some(
      ({ id, kind, revokedAt }) => kind === 'host' && revokedAt === null && `host:${id}` === principal,
    );

  const toSession = async (hash: string): Promise<BrowserSession | undefined> => {
    const row = await store.operators.session(hash, now());
    const operator = row === undefined ? undefined : await store.operators.get(row.operator);
    if (row === undefined || operator === undefined) return undefined;
    const { hash: id, csrf, createdAt: signedInAt, expiresAt } = row;
    return { ...toOperator(operator), id, csrf, signedInAt, expiresAt };
  };

  return {
    async issueKey(kind, owner) {
      const key = `${PREFIX[kind]}${random()}`;
      await store.keys.add({ id: random(9), hash: sha256(key), kind, owner, createdAt: now(), revokedAt: null });
      return key;
    },

    async revokeKeys(kind, owner) {
      const live = (await store.keys.list(owner)).filter((key) => key.kind === kind && key.revokedAt === null);
      for (const key of live) await store.keys.revoke(key.id, now());
      return live.length;
    },

    async agent(key) {
      const { owner, id } = await ownerOf('agent', key);
      return { bot: owner, principal: `agent:${id}` };
    },

    async host(key) {
      const { owner, id } = await ownerOf('host', key);
      return { bot: owner, principal: `host:${id}` };
    },

    async operator(key) {
      return operatorNamed((await ownerOf('operator', key)).owner);
    },

    async standing(principals) {
      const idOf = (principal: string) => principal.slice(principal.indexOf(':') + 1);
      const live = new Set(await store.keys.live(principals.map(idOf)));
      return new Set(principals.filter((principal) => live.has(idOf(principal))));
    },

    async createOperator(name, role) {
      if (!/^[a-z0-9][a-z0-9._@-]{0,63}$/i.test(name))
        throw new GatehouseError(
          'invalid_input',
          `${JSON.stringify(name.slice(0, 80))} is not a usable operator name.`,
          {
            next: 'Use 1-64 letters, digits, dot, dash, underscore or @, a letter or digit first.',
            fields: [{ name: 'name', problem: 'not a usable name' }],
          },
        );
      if (!(await store.operators.create({ name, role, createdAt: now() })))
        throw new GatehouseError('conflict', `There is an operator named ${name} already, whatever its capitals.`, {
          next: 'Choose another name.',
        });
      return this.issueKey('operator', name);
    },

    operators: async () => (await store.operators.list()).map(toOperator),

    async signInToken(operator) {
      await operatorNamed(operator);
      const token = random();
      const expiresAt = now() + LINK_MS;
      await store.operators.addLink(sha256(token), operator, expiresAt);
      return { token, expiresAt };
    },

    async redeem(token) {
      const name = await store.operators.redeemLink(sha256(token), now());
      if (name === undefined)
        throw new GatehouseError(
          'unauthenticated',
          'This sign-in link was used already, or is older than ten minutes.',
          {
            next: 'Make a new one in the terminal: gatehouse operator sign-in NAME.',
          },
        );
      const operator = await operatorNamed(name);
      const cookie = random();
      const session = {
        hash: sha256(cookie),
        operator: name,
        csrf: random(),
        createdAt: now(),
        expiresAt: now() + SESSION_MS,
      };
      await store.operators.addSession(session);
      const { hash: id, csrf, createdAt: signedInAt, expiresAt } = session;
      return { cookie, session: { ...operator, id, csrf, signedInAt, expiresAt } };
    },

    signedIn: async (ids) =>
      new Map((await store.operators.sessionRoles(ids, now())).map(({ hash, ...operator }) => [hash, operator])),

    session: async (cookie) => (cookie === undefined || cookie === '' ? undefined : toSession(sha256(cookie))),
    signOut: (cookie) => store.operators.endSession(sha256(cookie)),

    require(operator, permission, bot = null) {
      if (holds(operator, permission)) return requireBot(operator, bot);
      throw new GatehouseError('permission_denied', `The role ${operator.role} does not hold ${permission}.`, {
        next: `Ask ${whoHolds(permission)} to do this, or for another role.`,
      });
    },

    requireBot,

    signSession(bot, principal, { indexValue, user }, ttlMs) {
      const claims = Buffer.from(JSON.stringify({ bot, by: principal, indexValue, user, exp: now() + ttlMs })).toString(
        'base64url',
      );
      return `ghs_${claims}.${sign(secret, claims)}`;
    },

    async verifySession(bot, token) {
      const [claims = '', ...rest] = token.replace(/^ghs_/, '').split('.');
      const isOurs = token.startsWith('ghs_') && isSameSecret(rest.join('.'), sign(secret, claims));
      // Parsed only after the signature held, so the shape is ours.
      const read: (Session & { bot: string; by?: string; exp: number }) | undefined = isOurs
        ? JSON.parse(Buffer.from(claims, 'base64url').toString('utf8'))
        : undefined;
      if (read === undefined || read.bot !== bot || read.exp <= now() || !(await isLiveHost(bot, read.by)))
        throw new GatehouseError(
          'unauthenticated',
          'This chat session token is not ours, is over, belongs to another bot, or its host key was revoked.',
          {
            next: 'The host app makes a new one with its host key: POST /api/bots/BOT/sessions.',
          },
        );
      return { indexValue: read.indexValue, user: read.user };
    },
  };
}

const toOperator = ({ name, role, permissions, bots }: Operator): Operator => ({
  name,
  role,
  permissions,
  ...(bots === undefined ? {} : { bots }),
});

function requireBot(operator: Operator, bot: string | null): void {
  if (isWithin(operator, bot)) return;
  const { role, bots = [] } = operator;
  throw new GatehouseError(
    'permission_denied',
    `The role ${role} is for ${bots.length === 0 ? 'no bot' : bots.join(', ')} alone${bot === null ? ', and this is about every bot' : ''}.`,
    { next: 'Ask somebody whose role is for every bot, or for another role.' },
  );
}

const A = { agent: 'an agent', host: 'a host', operator: 'an operator' } as const satisfies Record<KeyKind, string>;

const HOW_TO_GET = {
  agent: 'Make one with: gatehouse bot key NAME.',
  host: 'Make one with: gatehouse bot key NAME --host.',
  operator:
    'An admin makes one in the console under Settings, or with: gatehouse operator create NAME --role approver.',
} as const satisfies Record<KeyKind, string>;

function sign(secret: string, claims: string): string {
  return createHmac('sha256', `session:${secret}`).update(claims).digest('base64url');
}
