import { readFile } from 'node:fs/promises';
import type { Company } from './company.ts';

/** Every address of the console, as its own routes say: a page that is added is looked at by itself. */

const APP = new URL('../../src/console/app/app.tsx', import.meta.url);

type Of = Company['of'];

/** What stands for a part of an address. */
const PARTS: Readonly<Record<string, (of: Of) => string | number>> = {
  bot: () => 'demo',
  action: () => 'OpenDeals',
  kind: () => 'party',
  localId: () => 'ana',
  seq: ({ written }) => written,
  id: ({ conflict }) => conflict,
};

/** The same pages in another state, and those that the server draws. */
const MORE: readonly ((of: Of) => string)[] = [
  () => '/bots/shop',
  () => '/bots/shop/actions',
  () => '/bots/shop/org',
  () => '/bots/demo/org?view=package',
  () => '/bots/demo/actions/OpenDeals?view=revisions',
  () => '/bots/demo/mappings/case',
  () => '/bots/demo/sync/links/case/c1',
  () => '/bots/demo/sync/links/party/twin',
  () => '/permissions?bot=demo&action=UpdateOpportunity',
  () => '/bots/demo/policy?view=json',
  () => '/bots/demo/policy?view=revisions',
  () => '/log?principal=nobody',
  () => '/playground?bot=demo',
  () => '/nothing-here',
  () => '/sign-in',
  ({ waiting }) => `/approvals/${waiting}`,
  ({ asked }) => `/approvals/${asked}`,
  ({ decided }) => `/approvals/${decided}`,
];

const SERVER_DRAWN = /^\/(sign-in|approvals\/|nothing-here)/;

/** As the app writes them: `/bots/:bot/sync`. */
async function routesOfApp(): Promise<readonly string[]> {
  const found = Array.from((await readFile(APP, 'utf8')).matchAll(/<Route path="([^"]+)"/g), ([, path = '']) => path);
  if (found.length < 20) throw new Error('The routes of the app are written in another way now: mend this.');
  return found;
}

export interface Address {
  /** Does not change from run to run. */
  readonly name: string;
  at(of: Of): string;
  /** Drawn by the app, not by the server. */
  readonly isApp: boolean;
}

const NAMES: Of = { waiting: ':waiting', decided: ':decided', asked: ':asked', written: 0, conflict: ':conflict' };

export async function addressesOfConsole(): Promise<readonly Address[]> {
  return [
    ...(await routesOfApp()).map((path) => ({ name: path, at: (of: Of) => filled(path, of), isApp: true })),
    ...MORE.map((at) => ({ name: at(NAMES), at, isApp: !SERVER_DRAWN.test(at(NAMES)) })),
  ];
}

function filled(path: string, of: Of): string {
  return path.replaceAll(/:(\w+)/g, (_, name: string) => {
    const make = PARTS[name];
    if (make === undefined) throw new Error(`${path} is new: say in addresses.ts what :${name} is in the company.`);
    return encodeURIComponent(make(of));
  });
}
