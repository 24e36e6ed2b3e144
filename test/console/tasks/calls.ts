import type { Page } from 'playwright-core';
import { proposeMove } from '../../support/door.ts';
import { button, link, said, type Task } from './hands.ts';

/** What bots may do, what waits for a person, and what was done. In this order: what a later one needs, an earlier one leaves. */

const noticeOf = (page: Page, words: string) =>
  page.getByRole('list', { name: 'Notices' }).getByRole('listitem').filter({ hasText: words }).getByRole('link');

export const CALLS: readonly Task[] = [
  {
    name: 'find why a call was refused, and come to the cell that allows it',
    most: 4,
    async walk({ page, press }) {
      await press(page.getByRole('link', { name: 'Not granted, or denied by policy' }).first());
      await press(page.getByRole('table', { name: 'Log' }).getByRole('link', { name: 'CreateLead' }).first());
      await press(link(page, 'Permission of this action'));
      await page.waitForURL(/action=CreateLead/);
    },
  },
  {
    name: 'grant an action that asks above an amount',
    most: 5,
    async walk({ page, press, choose, type }) {
      await press(link(page, 'Permissions'));
      await press(page.getByRole('button', { name: 'UpdateOpportunity for demo' }));
      await choose(page.getByRole('radio', { name: /^Runs/ }));
      await press(button(page, 'Add a threshold'));
      await type(page.getByRole('spinbutton', { name: 'Amount changes by more than' }), '70000');
      await press(button(page, /^Save as revision/));
      await said(page, /UpdateOpportunity of demo: saved as revision/);
    },
  },
  {
    name: 'take a grant back',
    most: 4,
    async walk({ page, press, choose }) {
      await press(link(page, 'Permissions'));
      await press(page.getByRole('button', { name: 'SyncCase for demo' }));
      await choose(page.getByRole('radio', { name: /^Not granted/ }));
      await press(page.getByRole('dialog').getByRole('button', { name: /^Save/ }));
      await said(page, 'SyncCase of demo: saved');
    },
  },
  {
    name: 'stop one action',
    most: 4,
    async walk({ page, press }) {
      await press(link(page, 'Permissions'));
      await press(page.getByRole('button', { name: 'GetAccount for demo' }));
      await press(button(page, 'Switch off now'));
      await said(page, 'GetAccount of demo is off from the next call on.');
      await button(page, 'Switch on again').click();
      await said(page, 'GetAccount of demo is on again.');
    },
  },
  {
    name: 'change the policy of a bot',
    most: 3,
    async walk({ page, press, type }) {
      await press(link(page, 'demo'));
      await press(link(page, 'Policy'));
      await type(page.getByLabel('Messages a minute of one visitor'), '7');
      await press(button(page, /^Save as revision/));
      await said(page, /Saved as revision \d+/);
    },
  },
  {
    name: 'decline what waits, with a reason',
    most: 4,
    async walk({ page, press, type }) {
      await press(page.getByRole('link', { name: /^Approvals/ }).first());
      await press(
        page
          .getByRole('list', { name: 'Waiting' })
          .getByRole('listitem')
          .filter({ hasText: 'RunSOQL' })
          .getByRole('link'),
      );
      await press(page.getByText('Say why, if you decline'));
      await type(page.getByLabel('Reason for declining'), 'Ask for the report instead');
      await press(button(page, 'Decline'));
      await page.getByRole('heading', { name: 'How it ended' }).waitFor();
      await said(page, 'Ask for the report instead');
    },
  },
  {
    name: 'approve from the link of a notice',
    most: 1,
    begin: async ({ of }) => `/approvals/${of.waiting}`,
    async walk({ page, press }) {
      await press(button(page, 'Approve'));
      await said(page, 'It ran, and Salesforce took it.');
    },
  },
  {
    name: 'correct a value, then approve',
    most: 4,
    begin: async ({ world }) => {
      // Above what the threshold lets run.
      await proposeMove(world, { nextStep: 'Write', amount: 990_000 });
      return undefined;
    },
    async walk({ page, press, type }) {
      await press(noticeOf(page, 'waits for a person'));
      await press(page.getByText('Change a value before approving'));
      await type(page.getByLabel(/Next Step/), 'Write on Friday');
      await press(button(page, 'Approve'));
      await press(button(page, 'Approve with your values'));
      await said(page, 'It ran, and Salesforce took it.');
    },
  },
  {
    name: 'choose a look-alike',
    most: 3,
    begin: async ({ world }) => {
      const [contact] = await world.records('Contact');
      await world.setPolicy((policy) => ({
        ...policy,
        actions: { ...policy.actions, CreateLead: { ...policy.actions.CreateLead!, decision: 'confirm' } },
      }));
      await world.call('CreateLead', { lastName: 'Twin', company: 'Twin AG', email: String(contact?.Email) });
      return undefined;
    },
    async walk({ page, press, choose }) {
      await press(noticeOf(page, 'waits for a person'));
      await choose(page.locator('input[name="choice"]').first());
      await press(button(page, 'Approve'));
      await said(page, 'It ran, and Salesforce took it.');
    },
  },
  {
    name: 'see what happened yesterday',
    most: 1,
    async walk({ page, press, turn }) {
      await press(link(page, 'Log'));
      await turn(page.getByLabel('When'), 'yesterday');
      const rows = page.getByRole('table', { name: 'Log' });
      await rows.getByRole('link').first().waitFor();
      await page.waitForURL(/since=.*until=/);
    },
  },
  {
    name: 'undo a write',
    most: 4,
    async walk({ page, press }) {
      await press(link(page, 'Log'));
      const row = page.getByRole('table', { name: 'Log' }).getByRole('row');
      await press(
        row.filter({ hasText: 'UpdateOpportunity' }).filter({ hasText: 'Done' }).first().getByRole('link', {
          name: 'UpdateOpportunity',
        }),
      );
      await press(button(page, 'Undo…'));
      await press(button(page, 'Ask'));
      await said(page, 'Asked. It waits for an approver like any other write.');
    },
  },
  {
    name: 'try a request as a bot, nothing written',
    most: 3,
    async walk({ page, press }) {
      await press(link(page, 'Playground'));
      await press(button(page, 'Move OPP-456 to Closed Won'));
      await said(page, 'dry run');
    },
  },
];
