import type { Elsewhere } from '../../support/elsewhere.ts';
import { button, link, said, type Task } from './hands.ts';

/** Of an org over HTTP; what is pressed at its own login is not counted. The first steps of a fresh install lead there. */

export const ELSEWHERE: readonly Task<Elsewhere>[] = [
  {
    name: 'connect a sandbox',
    most: 3,
    async walk({ page, press, tick }) {
      // Nobody answers there: how far the console leads is what counts.
      await page.route('https://test.salesforce.com/**', (route) =>
        route.fulfill({ body: 'Log in', contentType: 'text/plain' }),
      );
      await press(link(page, 'Connect desk'));
      await tick(page.getByRole('checkbox', { name: /This is a sandbox/ }));
      await press(button(page, 'Continue to Salesforce'));
      await page.waitForURL(/^https:\/\/test\.salesforce\.com\/services\/oauth2\/authorize\?/);
    },
  },
  {
    name: 'connect a real org',
    most: 2,
    begin: async ({ org }) => `/?org=${encodeURIComponent(org)}`,
    async walk({ page, press, type }) {
      const org = new URL(page.url()).searchParams.get('org') ?? '';
      await press(link(page, 'Connect desk'));
      await type(page.getByLabel('My Domain'), org);
      await press(button(page, 'Continue to Salesforce'));
      await page.getByRole('heading', { name: 'Simulated org' }).waitFor();
      await page.getByRole('radio').first().check();
      await page.getByRole('button', { name: 'Log in and allow' }).click();
      await said(page, 'Connected.');
      await page.getByText(new URL(org).host).first().waitFor();
    },
  },
  {
    name: 'cure "reconnect needed"',
    most: 2,
    begin: async ({ app }) => {
      await app.store.connections.patch('desk', { state: 'needs_reauth' });
      return undefined;
    },
    async walk({ page, press }) {
      await press(page.getByRole('list', { name: 'Notices' }).getByRole('link', { name: 'Reconnect' }));
      // It logs in where it did: nothing is typed again.
      await press(button(page, 'Continue to Salesforce'));
      await page.getByRole('radio').first().check();
      await page.getByRole('button', { name: 'Log in and allow' }).click();
      await said(page, 'Connected.');
    },
  },
];
