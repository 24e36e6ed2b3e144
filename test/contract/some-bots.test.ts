import { expect, it } from 'vitest';
import { OF_EVERY_BOT, OPERATOR_PERMISSIONS } from '../../permissions/catalog.ts';
import { restRoutes } from '../../src/http/routes/rest.ts';
import type { Route } from '../../src/ports/route.ts';
import { openCompany } from '../support/company.ts';
import { proposeMove } from '../support/door.ts';

/** An operator whose role is for one bot, at every route there is: of another bot they learn and change nothing. */

const ALL = OPERATOR_PERMISSIONS.filter((one) => !OF_EVERY_BOT.includes(one));
/** What these answer is of no bot: the installation, the chain as a whole, what is one's own. */
const ABOUT_NO_BOT = new Set([
  'GET /api/session',
  'GET /api/actions',
  'GET /api/install',
  'GET /api/audit/verify',
  'GET /api/notices/webhook',
  'GET /api/apps',
  'DELETE /api/apps/{id}',
]);

it('keeps a role for some bots to them, whichever route is asked [P4]', { timeout: 120_000 }, async () => {
  await using company = await openCompany();
  const { app } = company.world;
  await app.store.roles.put({ name: 'all-of-shop', permissions: ALL, bots: ['shop'] }, 1);
  const admin = await company.signIn('admin');
  const as = await company.signIn('all-of-shop');
  const { id } = await proposeMove(company.world);
  const { rows } = (await company.ask('GET', '/api/audit?bot=demo&limit=1', { as: admin })).json;
  const of: Readonly<Record<string, string>> = {
    bot: 'demo',
    id,
    seq: String(rows[0].seq),
    kind: 'party',
    name: 'all-of-shop',
  };
  const all: readonly Route[] = [...restRoutes(app), ...(await app.sync()).routes];
  const routes = all.filter(({ who }) => who.includes('operator'));
  const open: string[] = [];
  for (const { method, path } of routes) {
    const name = `${method} ${path}`;
    if (ABOUT_NO_BOT.has(name) || name === 'GET /api/events') continue;
    const at = path.replace(/\{(\w+)\}/g, (_, part: string) => of[part] ?? 'x');
    const json = path === '/api/search' ? { q: 'demo' } : path.endsWith('/edit') ? { values: {} } : {};
    const { status, text } = await company.ask(method, at, { as, ...(method === 'GET' ? {} : { json }) });
    // Whose row or proposal it is was not their question to ask; a list holds what is theirs.
    const isNarrow = method === 'GET' || path === '/api/search' ? !text.includes('demo') : false;
    if (![403, 404].includes(status) && !(status === 200 && isNarrow)) open.push(`${name}: ${status}`);
  }
  expect(open).toEqual([]);
  expect((await app.store.proposals.get(id))?.state).toBe('pending');

  // What is theirs is theirs.
  await app.audit.record({
    principal: 'local',
    channel: 'cli',
    bot: 'shop',
    action: 'grant',
    event: 'granted',
    detail: {},
  });
  expect((await company.ask('GET', '/api/bots', { as })).json.bots.map(({ name }: { name: string }) => name)).toEqual([
    'shop',
  ]);
  expect((await company.ask('GET', '/api/bots/shop', { as })).status).toBe(200);
  expect((await company.ask('GET', '/api/session', { as })).json.operator).toMatchObject({ bots: ['shop'] });
  const log = (await company.ask('GET', '/api/audit?limit=500', { as })).json.rows as { bot: string | null }[];
  expect(new Set(log.map(({ bot }) => bot))).toEqual(new Set(['shop']));

  // The page that decides, too.
  const page = await company.ask('GET', `/approvals/${id}`, { as, headers: { accept: 'text/html' } });
  expect(page.status).toBe(404);
  const form = { csrf: as.csrf, answer: 'approve' };
  expect((await company.ask('POST', `/approvals/${id}`, { as, form })).status).toBe(404);
  expect((await app.store.proposals.get(id))?.state).toBe('pending');
});
