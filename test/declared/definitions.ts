import { saveDeclared } from '../../src/policy/declared.ts';
import { botNamed } from '../../src/policy/permit.ts';
import type { World, WorldOptions } from '../support/world.ts';

/** Definitions that the tests declare, one of each operation. */

export const by = { principal: 'operator:ada', channel: 'cli' } as const;

export async function declare(world: World, value: unknown, grant = true) {
  const bot = await botNamed(world.app.store, world.bot);
  const saved = await saveDeclared(world.app, bot, value, by);
  if (grant) await world.app.store.bots.grant(world.bot, saved.permission);
  return saved;
}

export async function problemsOf(world: World, value: unknown): Promise<string> {
  try {
    await declare(world, value);
    return '';
  } catch (error) {
    return (error as { next: string }).next;
  }
}

export const text = (description: string, more: object = {}) => ({
  type: 'text',
  maxLength: 80,
  required: true,
  description,
  ...more,
});

export const dealStatus = {
  name: 'DealStatus',
  title: 'Deal status',
  description: 'Tells the stage of a deal by its reference.',
  operation: 'query',
  input: { reference: text('Like OPP-123', { maxLength: 20 }) },
  object: 'Opportunity',
  fields: ['Name', 'StageName', 'Account.Name'],
  where: [{ field: 'Reference__c', is: { input: 'reference' } }],
  limit: 5,
  returns: { rows: ['StageName', 'Account.Name'] },
};
export const byName = {
  ...dealStatus,
  name: 'DealsByName',
  object: undefined,
  fields: undefined,
  where: undefined,
  limit: undefined,
  returns: undefined,
  input: { name: text('Exact name') },
  soql: 'SELECT Id, Name, StageName FROM Opportunity WHERE Name = :name LIMIT 3',
};
export const nextStep = {
  name: 'SetNextStep',
  title: 'Set the next step',
  description: 'Sets the next step of a deal.',
  operation: 'update',
  input: { reference: text('Like OPP-123', { maxLength: 20 }), step: text('The step') },
  object: 'Opportunity',
  key: { field: 'Reference__c', is: { input: 'reference' } },
  set: { NextStep: { input: 'step' } },
};
export const openCase = {
  name: 'OpenCase',
  title: 'Open a case',
  description: 'Opens a case for a person.',
  operation: 'create',
  input: { subject: text('What it is about') },
  object: 'Case',
  set: { Subject: { input: 'subject' }, Status: { value: 'New' }, Origin: { value: 'Web' } },
};
export const orderStatus = {
  name: 'OrderStatus',
  title: 'Order status',
  description: 'Tells where an order stands.',
  operation: 'apex-rest',
  method: 'GET',
  path: '/orders/{orderNumber}',
  input: { orderNumber: text('Eight digits', { maxLength: 8 }) },
  returns: ['status', 'lines[].sku'],
};
export const makeOrder = {
  ...orderStatus,
  name: 'MakeOrder',
  title: 'Make an order',
  method: 'POST',
  path: '/orders',
  body: { sku: { input: 'orderNumber' } },
  returns: ['number', 'status'],
};
export const remind = {
  name: 'RemindOrder',
  title: 'Remind of an order',
  description: 'Starts the reminder of an order.',
  operation: 'flow',
  flow: 'Order_Reminder',
  input: { orderNumber: text('Eight digits') },
  inputs: { orderNumber: { input: 'orderNumber' } },
  returns: ['reminder'],
};
export const tell = {
  name: 'TellOrder',
  title: 'Tell of an order',
  description: 'Publishes that an order changed.',
  operation: 'publish',
  object: 'Order_Event__e',
  input: { orderNumber: text('Eight digits') },
  set: { Order_Number__c: { input: 'orderNumber' }, Status__c: { value: 'New' } },
};

export const auto =
  (name: string): NonNullable<WorldOptions['policy']> =>
  (policy) => ({
    ...policy,
    actions: {
      ...policy.actions,
      [name]: { decision: 'auto', assurance: 'client', rules: [], autoFields: [], expose: [] },
    },
  });
export const calls = async (world: World, path: string) =>
  (await world.sim('GET', 'calls')).calls.filter((one: { path: string }) => one.path.includes(path)).length;
export const waitingId = ({ proposal }: { proposal?: { id: string } | undefined }) => proposal?.id ?? '';
