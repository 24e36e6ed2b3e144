import { readFile, stat } from 'node:fs/promises';
import type { CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { addressesOfConsole } from '../support/addresses.ts';
import { describeInChromium } from '../support/browser.ts';
import { type Company, openCompany } from '../support/company.ts';
import { seatsAt } from '../support/console.ts';
import { drawn } from '../support/page-checks.ts';

const PAGES = (await addressesOfConsole()).filter(({ isApp }) => isApp);
const BUILT = new URL('../../dist/console/', import.meta.url);
const KB = 1000;

/** What a page asked its server for, and which of our files it has. */
interface Opened {
  readonly name: string;
  readonly asked: readonly string[];
  readonly loaded: readonly string[];
}

/** Bytes as gzip has them, requests, and what an hour leaves behind: counts and ratios, never a time. */
describeInChromium("the console's budgets", (browser) => {
  let company: Company;
  beforeAll(async () => {
    company = await openCompany();
  }, 120_000);
  afterAll(() => company?.[Symbol.asyncDispose]());
  const sit = seatsAt(browser, () => company);

  /** Each page as somebody opens it who was never here: once for both tests of what that takes. */
  let opened: Promise<readonly Opened[]> | undefined;
  async function openEach(): Promise<readonly Opened[]> {
    const all: Opened[] = [];
    for (const { name, at } of PAGES) {
      await using person = await sit();
      const { page } = person;
      const asked: string[] = [];
      page.on('request', (request) => {
        if (request.url().startsWith(company.url)) asked.push(request.url().slice(company.url.length));
      });
      await page.goto(`${company.url}${at(company.of)}`);
      await drawn(page);
      all.push({ name, asked, loaded: await assetsOf(page) });
    }
    return all;
  }

  it('loads less than 45 kB before the first page, 20 kB for a page of its own, and 12 kB of CSS [W10]', {
    timeout: 240_000,
  }, async () => {
    const manifest: Record<string, { file: string; imports: string[] }> = JSON.parse(
      await readFile(new URL('manifest.json', BUILT), 'utf8'),
    );
    const { file, imports } = manifest.console ?? { file: '', imports: [] };
    const first = [file, ...imports];
    expect(await bytesOf(first), 'the app').toBeLessThanOrEqual(45 * KB);
    expect(await bytesOf([manifest.style?.file ?? '']), 'the sheet').toBeLessThanOrEqual(12 * KB);
    opened ??= openEach();
    for (const { name, loaded } of await opened) {
      expect(
        imports.filter((one) => !loaded.includes(one)),
        `${name}: loaded ahead and not used`,
      ).toEqual([]);
      const own = loaded.filter((one) => one.endsWith('.js') && !first.includes(one));
      expect.soft(await bytesOf(own), `${name}: ${own.length} files of its own`).toBeLessThanOrEqual(20 * KB);
    }
  });

  it('asks for few things: six files and four questions at a first visit, nothing twice on any page [W10]', {
    timeout: 240_000,
  }, async () => {
    opened ??= openEach();
    for (const { name, asked } of await opened) {
      const rest = asked.filter((url) => url.startsWith('/api/') && !/^\/api\/(session|events)$/.test(url));
      if (name === '/') {
        expect.soft(asked.filter((url) => !url.startsWith('/api/')).length, asked.join(' ')).toBeLessThanOrEqual(6);
        expect.soft(rest.length, rest.join(' ')).toBeLessThanOrEqual(4);
      }
      expect
        .soft(
          rest.filter((url, n) => rest.indexOf(url) !== n),
          `${name} asks twice`,
        )
        .toEqual([]);
    }
  });

  it('is no larger after all pages and an hour of hints than it was at first [W10]', { timeout: 240_000 }, async () => {
    await using person = await sit();
    const { page, context } = person;
    const hints = ['proposal', 'connection', 'sync', 'audit', 'policy'].map((type) => `data: {"type":"${type}"}\n\n`);
    let told = 0;
    await page.route('**/api/events', (route) => {
      told += 1;
      const body = told === 1 ? Array.from({ length: 720 }, () => hints.join('')).join('') : 'retry: 600000\n\n';
      return route.fulfill({ body, contentType: 'text/event-stream' });
    });
    await page.goto(company.url);
    await drawn(page);
    const tools = await context.newCDPSession(page);
    await tools.send('Performance.enable');
    await goAround(page, company);
    const before = await sizeOf(tools);
    await goAround(page, company);
    for (let round = 0; round < 60; round += 1) {
      await page.evaluate("dispatchEvent(new Event('online'))");
      await drawn(page);
    }
    const after = await sizeOf(tools);
    expect(told).toBeGreaterThan(0);
    expect(after.heap / before.heap).toBeLessThanOrEqual(1.3);
    expect(after.nodes / before.nodes).toBeLessThanOrEqual(1.3);
    expect(after.listeners / before.listeners).toBeLessThanOrEqual(1.3);
  });

  it('lets a browser keep its files for good and its pages not at all [W10]', async () => {
    const { cookie } = await company.signIn('viewer');
    const shell = await fetch(`${company.url}/log`, { headers: { cookie } });
    expect(shell.headers.get('cache-control')).toContain('no-store');
    const files = (await shell.text()).match(/\/assets\/[\w.-]+/g) ?? [];
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) {
      const { headers } = await fetch(`${company.url}${file}`, { headers: { 'accept-encoding': 'gzip, br' } });
      expect([headers.get('cache-control'), headers.get('content-encoding')]).toEqual([
        'public, max-age=31536000, immutable',
        'br',
      ]);
    }
  });
});

async function bytesOf(files: readonly string[]): Promise<number> {
  const sizes = await Promise.all(files.map(async (file) => (await stat(new URL(`${file}.gz`, BUILT))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

const assetsOf = (page: Page): Promise<readonly string[]> =>
  page.evaluate(
    "performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname).filter((path) => path.startsWith('/assets/')).map((path) => path.slice(8))",
  );

/** Through every page without loading anew, and back to the first. */
async function goAround(page: Page, company: Company): Promise<void> {
  for (const { at } of [...PAGES, ...PAGES.slice(0, 1)]) {
    await page.evaluate(`history.pushState(null, '', ${JSON.stringify(at(company.of))})`);
    await drawn(page);
  }
}

async function sizeOf(tools: CDPSession): Promise<{ heap: number; nodes: number; listeners: number }> {
  await tools.send('HeapProfiler.collectGarbage');
  const { metrics } = await tools.send('Performance.getMetrics');
  const of = (wanted: string) => metrics.find(({ name }) => name === wanted)?.value ?? 0;
  return { heap: of('JSHeapUsedSize'), nodes: of('Nodes'), listeners: of('JSEventListeners') };
}
