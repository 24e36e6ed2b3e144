import { button, type Hands, link, said, type Task } from './hands.ts';

/** People and cases, both ways. In this order: what a later one needs, an earlier one leaves. */

/** Three presses from the overview. */
async function toEvents({ page, press }: Hands): Promise<void> {
  await press(link(page, 'Sync'));
  await press(page.getByRole('table', { name: 'Sync by bot' }).getByRole('link', { name: 'demo' }).first());
  await press(link(page, 'Events'));
}

export const SYNC: readonly Task[] = [
  {
    name: 'see how the sync stands',
    most: 1,
    async walk({ page, press }) {
      await press(link(page, 'Sync'));
      const row = page.getByRole('table', { name: 'Sync by bot' }).getByRole('row', { name: /demo/ });
      await row.waitFor();
      await said(page, 'Nowhere Ltd');
    },
  },
  {
    name: 'map a field from a suggestion',
    most: 5,
    async walk({ page, press }) {
      await press(link(page, 'Sync'));
      await press(link(page, 'Mapping'));
      await press(button(page, 'Suggest'));
      await page.getByRole('region', { name: 'Suggestions' }).waitFor();
      await press(button(page, /^Save as version/));
      await said(page, /Saved as version/);
    },
  },
  {
    name: 'see why a record failed',
    most: 3,
    async walk({ page, press }) {
      await press(link(page, 'Sync'));
      await press(link(page, 'Show'));
      await press(page.getByRole('link', { name: 'Person nameless-1' }).first());
      await said(page, 'LastName');
    },
  },
  {
    name: 'find the ones that failed, and try them again',
    most: 2,
    async walk({ page, press }) {
      await press(link(page, 'Sync'));
      await press(button(page, 'Retry 3'));
      await said(page, '3 are tried again now.');
    },
  },
  {
    name: 'say who an ambiguous person is',
    most: 4,
    async walk({ page, press }) {
      await press(link(page, 'Sync'));
      await press(link(page, 'Choose'));
      await press(button(page, 'Link…'));
      const two = page.getByRole('dialog').getByRole('listitem').filter({ hasText: 'Twin Two' });
      await press(two.getByRole('button', { name: 'Link' }));
      await said(page, 'Linked. Both sides are compared');
    },
  },
  {
    name: 'restore a value that lost a conflict',
    most: 5,
    async walk({ page, press }) {
      await press(link(page, 'Sync'));
      await press(link(page, 'Conflicts'));
      await press(page.getByRole('link', { name: 'Open the entry of ana' }).first());
      await press(button(page, 'Restore…'));
      await press(button(page, 'Yes, put it back'));
      await said(page, 'Put back.');
    },
  },
  {
    name: 'start a batch of everything, hold it, let it go on, and end it',
    most: 8,
    async walk({ page, press }) {
      await press(link(page, 'Sync'));
      await press(page.getByRole('table', { name: 'Sync by bot' }).getByRole('link', { name: 'demo' }).first());
      await press(button(page, 'Sync everything…'));
      await press(button(page, 'Start'));
      await press(button(page, 'Pause'));
      await press(button(page, 'Resume'));
      await press(button(page, 'Cancel…'));
      await press(page.getByRole('dialog').getByRole('button').first());
      await page.getByRole('region', { name: 'Batches' }).getByText('Cancelled', { exact: true }).first().waitFor();
    },
  },
  {
    name: 'make a new address for outbound messages',
    most: 5,
    async walk(hands) {
      const { page, press } = hands;
      await toEvents(hands);
      await press(button(page, 'New address…'));
      await press(page.getByRole('dialog').getByRole('button', { name: 'Make a new address' }));
      await said(page, 'The new address, shown this once:');
    },
  },
  {
    name: 'make the token by which a Flow calls',
    most: 4,
    async walk(hands) {
      const { page, press } = hands;
      await toEvents(hands);
      await press(button(page, 'Make a token'));
      await said(page, 'The new token, shown this once:');
    },
  },
  {
    name: 'set the webhook of the host app',
    most: 4,
    async walk(hands) {
      const { page, press, type } = hands;
      await toEvents(hands);
      await type(page.getByLabel('Address of the host app'), 'http://127.0.0.1:9/hook');
      await press(button(page, 'Set the webhook'));
      await said(page, 'Set. Changes go there from now on.');
    },
  },
  {
    name: 'tell the host app of a further object',
    most: 4,
    async walk(hands) {
      const { page, press, type } = hands;
      await toEvents(hands);
      await type(page.getByRole('textbox', { name: /^Object/ }), 'Opportunity');
      await type(page.getByRole('textbox', { name: /^Fields/ }), 'Name, StageName');
      await press(button(page, 'Subscribe'));
      await said(page, 'The host app is told of every change of Opportunity.');
    },
  },
];

/** After which nothing runs by itself, and then nothing at all. */
export const LAST: readonly Task[] = [
  {
    name: 'change the mode of a bot',
    most: 2,
    async walk({ page, press, turn }) {
      await press(link(page, 'demo'));
      await turn(page.getByLabel('Mode'), 'ask');
      await press(button(page, 'Set the mode'));
      await said(page, 'demo is in the mode ask');
    },
  },
  {
    name: 'stop a whole bot',
    most: 3,
    async walk({ page, press }) {
      await press(link(page, 'demo'));
      await press(button(page, 'Stop the bot'));
      await press(button(page, 'Stop it'));
      await said(page, 'This bot is stopped.');
    },
  },
];
