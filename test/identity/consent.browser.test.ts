import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { describeInChromium, visit } from '../support/browser.ts';
import { checkPage } from '../support/page-checks.ts';
import { authorizeAt, callTool, exchange, openIdentityDoor, register } from './person.ts';

const HOSTED = 'https://agents.localhost/callback';

/** A program on this computer that waits for its code. */
async function waiting() {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<!doctype html><title>Done</title><h1>You can close this page</h1>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`;
  return { url, [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())) };
}

describeInChromium('consent', (browser) => {
  it('leads from a program over sign-in and a yes by keyboard back to the program [X8]', async () => {
    await using door = await openIdentityDoor();
    await using program = await waiting();
    const client = await register(door, [program.url], 'My assistant');
    const token = await door.signInToken('approver');
    await using person = await visit(browser);
    const { page, complaints } = person;
    await page.goto(`${door.url}${authorizeAt(door, client)}`);
    await page.getByLabel('Sign-in link or token').fill(token);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Let a program on this computer act for a bot?' }).waitFor();
    await checkPage(page, 'consent');
    if (process.env.GATEHOUSE_LOOK !== undefined)
      await page.screenshot({ path: `${process.env.GATEHOUSE_LOOK}/consent.png`, fullPage: true });
    await page.getByRole('button', { name: 'Allow', exact: true }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'You can close this page' }).waitFor();
    const code = new URL(page.url()).searchParams.get('code') ?? '';
    const { json } = await exchange(door, client, code);
    expect((await callTool(door, json.access_token, 'GetAccount', {})).status).toBe(200);
    expect(complaints).toEqual([]);

    // And ends again where apps are listed.
    await page.goto(`${door.url}/settings/apps`);
    await page.getByRole('heading', { name: 'My assistant' }).waitFor();
    await checkPage(page, 'connected apps');
    if (process.env.GATEHOUSE_LOOK !== undefined)
      await page.screenshot({ path: `${process.env.GATEHOUSE_LOOK}/apps.png`, fullPage: true });
    await page.getByRole('button', { name: 'End…' }).click();
    await page.getByRole('button', { name: 'End it' }).click();
    await page.getByText('No program is connected.').waitFor();
    expect((await callTool(door, json.access_token, 'GetAccount', {})).status).toBe(401);
  });

  it('reaches a hosted client, whose answer no policy of the page stops [X8]', async () => {
    await using door = await openIdentityDoor();
    const client = await register(door, [HOSTED], '\u202eedualC');
    const token = await door.signInToken();
    await using person = await visit(browser);
    const { page } = person;
    await page.goto(`${door.url}${authorizeAt(door, client)}`);
    await page.getByLabel('Sign-in link or token').fill(token);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Let agents.localhost act for a bot?' }).waitFor();
    expect(await page.locator('main').innerText()).not.toContain('\u202e');
    await page.getByText('This address is new here').waitFor();
    await page.getByRole('button', { name: 'Allow agents.localhost from now on' }).click();
    // Nobody listens there: that the browser asked is the answer.
    const sent = page.waitForRequest((request) => request.url().startsWith(HOSTED));
    await page.getByRole('button', { name: 'Allow', exact: true }).click();
    expect(new URL((await sent).url()).searchParams.get('code')).toMatch(/^[\w-]{43}$/);
  });
});
