import type { Page } from 'playwright-core';
import { button, type Hands, link, said, type Task } from './hands.ts';

/** Bots with their connections, and operators with their keys. In this order: what a later one needs, an earlier one leaves. */

const cardOf = (page: Page, name: string) =>
  page.getByRole('listitem').filter({ has: page.getByRole('heading', { name, exact: true }) });

/** Three presses from the overview. */
async function toOperators({ page, press }: Hands): Promise<void> {
  await press(page.locator('details.who > summary'));
  await press(link(page, 'Settings and operators'));
  await press(link(page, 'Operators and their keys'));
}

export const BOTS: readonly Task[] = [
  {
    name: 'make a bot',
    most: 2,
    async walk({ page, press, type }) {
      await press(link(page, 'New bot'));
      await type(page.getByLabel('Name'), 'desk');
      await press(button(page, 'Make the bot'));
      await said(page, 'desk is there');
    },
  },
  {
    name: 'disconnect an org',
    most: 3,
    async walk({ page, press }) {
      await press(link(page, 'desk'));
      await press(button(page, 'Disconnect…'));
      await press(page.getByRole('dialog').getByRole('button', { name: 'Disconnect' }));
      await said(page, /^Disconnected/);
    },
  },
  {
    name: 'connect the simulated org',
    most: 3,
    async walk({ page, press }) {
      await press(link(page, 'desk'));
      await press(link(page, 'Connect'));
      await press(button(page, 'Connect the simulated org'));
      await said(page, 'Connected.');
    },
  },
  {
    name: 'test a connection',
    most: 2,
    async walk({ page, press }) {
      await press(link(page, 'desk'));
      await press(button(page, 'Test'));
      await said(page, 'The connection works');
    },
  },
  {
    name: 'sign a bot in again whose login is over',
    most: 2,
    begin: async ({ world }) => {
      await world.app.store.connections.patch('desk', { state: 'needs_reauth' });
      return undefined;
    },
    async walk({ page, press }) {
      await said(page, 'desk must be reconnected');
      await press(page.getByRole('list', { name: 'Notices' }).getByRole('link', { name: 'Reconnect' }).first());
      await press(button(page, 'Connect the simulated org'));
      await said(page, 'Connected.');
    },
  },
  {
    name: 'open the chat page of a bot',
    most: 2,
    async walk({ page, press }) {
      await press(link(page, 'desk'));
      await press(button(page, 'Open it'));
      await said(page, 'The chat page is open.');
    },
  },
  {
    name: 'delete a bot',
    most: 3,
    async walk({ page, press, type }) {
      await press(link(page, 'desk'));
      await press(button(page, 'Delete…'));
      await type(page.getByLabel('Type its name to go on'), 'desk');
      await press(button(page, 'Delete it'));
      await said(page, 'desk is deleted.');
    },
  },
  {
    name: 'make an operator',
    most: 4,
    async walk(hands) {
      const { page, press, type } = hands;
      await toOperators(hands);
      await type(page.getByLabel('Name'), 'cy');
      await press(button(page, 'Make, and show the key once'));
      await said(page, 'cy is now approver.');
    },
  },
  {
    name: 'see who operates the installation, and by how many keys',
    most: 3,
    async walk(hands) {
      await toOperators(hands);
      await cardOf(hands.page, 'cy').getByText('1 key').waitFor();
      await cardOf(hands.page, 'vic').getByText('viewer', { exact: true }).waitFor();
    },
  },
  {
    name: 'change the role of an operator',
    most: 5,
    async walk(hands) {
      const { page, press } = hands;
      await toOperators(hands);
      await press(cardOf(page, 'cy').getByRole('button', { name: 'Make viewer…' }));
      await press(page.getByRole('dialog').getByRole('button', { name: 'Make viewer' }));
      await said(page, 'cy is now viewer.');
    },
  },
  {
    name: 'give an operator a new key',
    most: 4,
    async walk(hands) {
      const { page, press } = hands;
      await toOperators(hands);
      await press(cardOf(page, 'cy').getByRole('button', { name: 'New key' }));
      await said(page, 'A new key of cy, shown this once:');
    },
  },
  {
    name: 'revoke the keys of an operator',
    most: 5,
    async walk(hands) {
      const { page, press } = hands;
      await toOperators(hands);
      await press(cardOf(page, 'cy').getByRole('button', { name: 'Revoke keys…' }));
      await press(page.getByRole('dialog').getByRole('button', { name: 'Revoke them' }));
      await said(page, 'Keys of cy revoked: 2.');
    },
  },
  {
    name: 'remove an operator',
    most: 5,
    async walk(hands) {
      const { page, press } = hands;
      await toOperators(hands);
      await press(cardOf(page, 'cy').getByRole('button', { name: 'Remove…' }));
      await press(page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }));
      await said(page, 'cy is removed');
    },
  },
];
