import { describe, expect, it } from 'vitest';
import { restRoutes } from '../../src/http/routes/rest.ts';
import type { Route } from '../../src/ports/route.ts';
import { type Company, openCompany } from '../support/company.ts';
import type { SignedIn } from '../support/door.ts';

/** What an operator changes is a row of the log that names them, whichever route it goes by. */

interface Trial {
  /** What stands for the parts of the address, and its query. */
  readonly path?: string;
  readonly json?: unknown;
}
// What a route answers is for the try to know.
// biome-ignore lint/suspicious/noExplicitAny: free-form JSON answers
type Try = (company: Company, ask: (path: string) => Promise<any>) => Trial | Promise<Trial>;

/** These change nothing; that they were asked is no deed. */
const LOOKS = new Set([
  'POST /api/bots/{bot}/policy/check',
  'POST /api/bots/{bot}/integration/test',
  'POST /api/bots/{bot}/declared-actions/{name}/check',
  'POST /api/bots/{bot}/mappings/{kind}/check',
  'POST /api/bots/{bot}/mappings/{kind}/preview',
  'POST /api/bots/{bot}/sync/batches/preview',
  'POST /api/notices/webhook/test',
]);

/** Audited where they are tested: they need a model, a second installation or a conflict. */
const ELSEWHERE = new Set([
  'POST /api/demo',
  'POST /api/proposals/{id}/edit',
  'POST /api/bots/{bot}/playground/{id}/messages',
  'POST /api/bots/{bot}/playground/{id}/resume',
  'POST /api/bots/{bot}/playground/{id}/actions/{action}',
  'POST /api/bots/{bot}/org/deployments/{id}/sign-in',
  'DELETE /api/bots/{bot}/org/deployments/{id}',
]);

const HOOK = 'https://203.0.113.7/hook';
/** The newest of them: one of a kind is open at a time. */
const batch =
  (what: string): Try =>
  async (_, ask) => {
    const { batches } = await ask('/api/bots/demo/sync/batches');
    const open = batches.find(({ state }: { state: string }) => /running|paused|scheduled/.test(state));
    return { path: `/api/bots/demo/sync/batches/${open?.id}/${what}` };
  };

/** Of the one that was begun last. */
const deployment =
  (what: string, yes: (of: { readonly digest: string }) => object | undefined): Try =>
  async (_, ask) => {
    const [latest] = (await ask('/api/bots/demo/org/deployments')).deployments;
    const json = yes(latest);
    return { path: `/api/bots/demo/org/deployments/${latest.id}/${what}`, ...(json === undefined ? {} : { json }) };
  };

const DECLARED = '/api/bots/demo/declared-actions/DealStatus';
const declaration = {
  name: 'DealStatus',
  title: 'Deal status',
  description: 'Tells the stage of a deal by its name.',
  operation: 'query',
  input: { deal: { type: 'text', maxLength: 80, required: true, description: 'Its name' } },
  object: 'Opportunity',
  fields: ['Name', 'StageName'],
  where: [{ field: 'Name', is: { input: 'deal' } }],
  limit: 5,
};

/** One try of each that succeeds, in this order. */
const TRIES: Readonly<Record<string, Try>> = {
  'POST /api/search': () => ({ json: { q: 'ana' } }),
  'POST /api/bots': () => ({ json: { name: 'made' } }),
  'PUT /api/bots/{bot}/chat': () => ({ json: { page: true } }),
  'POST /api/proposals/{id}/approve': ({ of }) => ({ path: `/api/proposals/${of.waiting}/approve`, json: {} }),
  'POST /api/proposals/{id}/reject': ({ of }) => ({
    path: `/api/proposals/${of.asked}/reject`,
    json: { reason: 'no' },
  }),
  'PUT /api/notices/webhook': () => ({ json: { url: HOOK } }),
  'DELETE /api/notices/webhook': () => ({}),
  'POST /api/bots/{bot}/integration/connect': () => ({ json: {} }),
  'PUT /api/bots/{bot}/permissions': () => ({ json: { revoke: ['CREATE_LEAD'] } }),
  'PUT /api/bots/{bot}/profile': async (_, ask) => {
    const { revision } = await ask('/api/bots/demo/profiles');
    return { json: { profile: 'internal', revision } };
  },
  'PUT /api/bots/{bot}/policy': async (_, ask) => {
    const { policy } = await ask('/api/bots/demo/policy');
    return { json: { ...policy, proposals: { ...policy.proposals, selfApproval: true } } };
  },
  'POST /api/bots/{bot}/policy/try': () => ({ json: { action: 'GetAccount', args: { name: 'Acme Industries' } } }),
  'POST /api/bots/{bot}/policy/replay': async (_, ask) => ({
    json: (await ask('/api/bots/demo/policy')).policy,
  }),
  'PUT /api/bots/{bot}/off/{action}': () => ({ path: '/api/bots/demo/off/GetAccount' }),
  'DELETE /api/bots/{bot}/off/{action}': () => ({ path: '/api/bots/demo/off/GetAccount' }),
  'PUT /api/bots/{bot}/declared-actions/{name}': () => ({ path: DECLARED, json: declaration }),
  'DELETE /api/bots/{bot}/declared-actions/{name}': () => ({ path: DECLARED }),
  'DELETE /api/apps/{id}': async ({ world: { app, bot } }) => {
    const [first] = await app.access.operators();
    const grant = {
      client: 'c',
      clientName: 'c',
      host: 'claude.ai',
      resource: 'r',
      scopes: 'gatehouse:read',
      codeHash: 'h',
    };
    const times = { createdAt: 0, usedAt: 0, expiresAt: Number.MAX_SAFE_INTEGER };
    await app.store.identity.addGrant({ id: 'an-app', operator: first?.name ?? '', bot, ...grant, ...times });
    return { path: '/api/apps/an-app' };
  },
  'POST /api/operators': () => ({ json: { name: 'new', role: 'viewer' } }),
  'PUT /api/operators/{name}': () => ({ path: '/api/operators/new', json: { role: 'approver' } }),
  'PUT /api/roles/{name}': () => ({ path: '/api/roles/connector', json: { permissions: ['CREATE_OAUTH'] } }),
  'DELETE /api/roles/{name}': () => ({ path: '/api/roles/connector' }),
  'POST /api/operators/{name}/keys': () => ({ path: '/api/operators/new/keys', json: {} }),
  'DELETE /api/operators/{name}/keys': () => ({ path: '/api/operators/new/keys' }),
  'POST /api/operators/{name}/sign-in-link': () => ({ path: '/api/operators/new/sign-in-link', json: {} }),
  'DELETE /api/operators/{name}': () => ({ path: '/api/operators/new' }),
  'POST /api/bots/{bot}/keys': () => ({ json: { kind: 'host' } }),
  'POST /api/audit/{seq}/values': ({ of }) => ({ path: `/api/audit/${of.written}/values` }),
  'POST /api/audit/{seq}/undo': ({ of }) => ({ path: `/api/audit/${of.written}/undo` }),
  'POST /api/bots/{bot}/playground': () => ({ json: { live: false } }),
  'POST /api/bots/{bot}/sync/logs/{id}/restore': ({ of }) => ({
    path: `/api/bots/demo/sync/logs/${of.conflict}/restore`,
    json: {},
  }),
  'POST /api/bots/{bot}/sync/links': async ({ world }) => {
    const [twin] = (await world.records('Contact')).filter(({ Email }) => Email === 'twin@example.com');
    return { json: { kind: 'party', localId: 'twin', recordId: twin?.Id } };
  },
  'POST /api/bots/{bot}/sync/parents': () => ({ json: { object: 'Account', name: 'Nowhere Ltd', leaveOut: true } }),
  'POST /api/bots/{bot}/sync/unlink': () => ({ json: { kind: 'party', localId: 'joe' } }),
  'POST /api/bots/{bot}/sync/retry': () => ({ json: { failed: true } }),
  'POST /api/bots/{bot}/sync/now': () => ({ json: { kind: 'party', localId: 'mia' } }),
  'POST /api/bots/{bot}/records/party': () => ({
    json: { externalId: 'try', name: 'Ana Try', email: 'try@x.example' },
  }),
  'POST /api/bots/{bot}/sync/batches': () => ({ json: { kind: 'party' } }),
  'POST /api/bots/{bot}/sync/batches/{id}/pause': batch('pause'),
  'POST /api/bots/{bot}/sync/batches/{id}/resume': batch('resume'),
  'POST /api/bots/{bot}/sync/batches/{id}/cancel': batch('cancel'),
  'PUT /api/bots/{bot}/sync/quiet-hours': () => ({ json: { from: '22:00', until: '06:00', zone: 'Europe/Berlin' } }),
  'DELETE /api/bots/{bot}/sync/quiet-hours': () => ({}),
  'PUT /api/bots/{bot}/mappings/{kind}': async (_, ask) => {
    const { mapping, version } = await ask('/api/bots/demo/mappings/party');
    return { path: '/api/bots/demo/mappings/party', json: { mapping, version } };
  },
  'POST /api/bots/{bot}/sync/inbound-token': () => ({ json: {} }),
  'POST /api/bots/{bot}/sync/flow-token': () => ({ json: {} }),
  'PUT /api/bots/{bot}/sync/webhook': () => ({ json: { url: HOOK } }),
  'DELETE /api/bots/{bot}/sync/webhook': () => ({}),
  'PUT /api/bots/{bot}/sync/subscriptions/{object}': () => ({
    path: '/api/bots/demo/sync/subscriptions/Opportunity',
    json: { fields: ['StageName'] },
  }),
  'DELETE /api/bots/{bot}/sync/subscriptions/{object}': () => ({
    path: '/api/bots/demo/sync/subscriptions/Opportunity',
  }),
  'POST /api/bots/{bot}/org/deployments': () => ({ json: {} }),
  'POST /api/bots/{bot}/org/deployments/{id}/check': deployment('check', () => undefined),
  'POST /api/bots/{bot}/org/deployments/{id}/deploy': deployment('deploy', ({ digest }) => ({ digest })),
  'PUT /api/bots/{bot}/mode': () => ({ json: { mode: 'ask' } }),
  'DELETE /api/bots/{bot}/integration': () => ({}),
  'DELETE /api/bots/{bot}': () => ({ path: '/api/bots/made?confirm=made' }),
};

describe('a change by an operator', () => {
  it('leaves a row of the log that names who, from where and which bot, whichever route it goes by [C7]', {
    timeout: 120_000,
  }, async () => {
    await using company = await openCompany({ env: { GATEHOUSE_ALLOW_PRIVATE_HOOKS: '1' } });
    const { app } = company.world;
    const as = await company.signIn('admin');
    const all: readonly Route[] = [...restRoutes(app), ...(await app.sync()).routes];
    const changing = all
      .filter(({ method, who }) => method !== 'GET' && who.includes('operator'))
      .map(({ method, path }) => `${method} ${path}`);
    expect(changing.filter((name) => !LOOKS.has(name) && !ELSEWHERE.has(name)).sort()).toEqual(
      Object.keys(TRIES).sort(),
    );
    const quiet: string[] = [];
    for (const name of Object.keys(TRIES)) {
      const { status, rows, text } = await tried(company, as, name);
      const own = rows.filter(({ principal, channel }) => principal === `operator:${as.name}` && channel !== 'rest');
      if (status >= 300 || own.length === 0 || (name.includes('{bot}') && own.every(({ bot }) => bot === null)))
        quiet.push(
          `${name}: ${status} ${text.slice(0, 300)} ${JSON.stringify(rows.map(({ principal, channel, event }) => [principal, channel, event]))}`,
        );
      // Addresses of hooks are secrets.
      expect(JSON.stringify(rows)).not.toContain('/hook');
    }
    expect(quiet).toEqual([]);
  });
});

async function tried(company: Company, as: SignedIn, name: string) {
  const [method = '', route = ''] = name.split(' ');
  const { audit } = company.world.app.store;
  const get = async (path: string) => (await company.ask('GET', path, { as })).json;
  const { path = route.replace('{bot}', 'demo'), ...given } = (await TRIES[name]?.(company, get)) ?? {};
  const [last] = await audit.find({ limit: 1 });
  const { status, text } = await company.ask(method, path, { as, ...given });
  const rows = await audit.find({ ...(last ? { after: last.seq } : {}), limit: 50 });
  return { status, text, rows: rows.filter(({ seq }) => seq > (last?.seq ?? 0)) };
}
