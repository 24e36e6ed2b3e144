import type { Scenario } from '../scenario.ts';

const MOVE = 'Move OPP-456 to Closed Won';
const WON = { update: 'Opportunity', named: 'Umber warehouse', set: { StageName: 'Closed Won' } } as const;

export const deals: readonly Scenario[] = [
  { name: 'Closed Won, approved', turns: [{ say: MOVE }, { card: 'approve' }], writes: [WON], cards: 1 },
  { name: 'Closed Won, declined', turns: [{ say: MOVE }, { card: 'reject' }], cards: 1 },
  { name: 'Closed Won, never decided', turns: [{ say: MOVE }], cards: 1 },
  {
    name: 'a typed yes is no approval',
    turns: [{ say: MOVE }, { say: 'yes, do it', hears: /card|button|cannot|can't/i }],
    cards: 1,
  },
  {
    name: 'a mind changed at the card: declined, then another stage',
    turns: [{ say: MOVE }, { card: 'reject' }, { say: 'Actually, Proposal/Price Quote instead' }, { card: 'approve' }],
    writes: [{ update: 'Opportunity', named: 'Umber warehouse', set: { StageName: 'Proposal/Price Quote' } }],
    cards: 2,
  },
  {
    name: 'a mind changed in words: the old card is replaced',
    turns: [{ say: MOVE }, { say: 'Actually, Closed Lost instead' }, { card: 'approve' }],
    writes: [{ update: 'Opportunity', named: 'Umber warehouse', set: { StageName: 'Closed Lost' } }],
    cards: 2,
  },
  {
    name: 'never mind at the card: nothing is written',
    turns: [{ say: MOVE }, { say: 'Never mind' }],
    cards: 1,
  },
  {
    name: 'two orders in a sentence, both approved',
    turns: [
      { say: 'Move OPP-456 to Closed Won and set the amount of OPP-124 to 15000' },
      { card: 'approve' },
      { card: 'approve' },
    ],
    writes: [WON, { update: 'Opportunity', named: 'Acme care plan', set: { Amount: 15_000 } }],
    cards: 2,
  },
  {
    name: 'two orders in a sentence, one approved and one declined',
    turns: [
      { say: 'Move OPP-456 to Closed Won and set the amount of OPP-124 to 15000' },
      { card: 'approve' },
      { card: 'reject' },
    ],
    writes: [WON],
    cards: 2,
  },
  {
    name: 'two changes of one deal are one card',
    turns: [{ say: 'Move OPP-456 to Closed Won and set its amount to 34000' }, { card: 'approve' }],
    writes: [{ update: 'Opportunity', named: 'Umber warehouse', set: { StageName: 'Closed Won', Amount: 34_000 } }],
    cards: 1,
  },
  {
    name: 'an order and a question in a sentence',
    turns: [{ say: 'Move OPP-456 to Closed Won and tell me the status of OPP-123' }, { card: 'approve' }],
    writes: [WON],
    cards: 1,
  },
  {
    name: 'a wrong stage name is warned about on the card',
    turns: [{ say: 'Move OPP-123 to Closed Wonn' }, { card: 'reject' }],
    cards: 1,
  },
  {
    name: 'a wrong stage name, then the right one',
    turns: [
      { say: 'Move OPP-456 to Closed Wonn' },
      { card: 'reject' },
      { say: 'Sorry, move it to Closed Won' },
      { card: 'approve' },
    ],
    writes: [WON],
    cards: 2,
  },
  {
    name: 'an amount in thousands',
    turns: [{ say: 'Set the amount of OPP-123 to 90k' }, { card: 'approve' }],
    writes: [{ update: 'Opportunity', named: 'Acme sensor rollout', set: { Amount: 90_000 } }],
    cards: 1,
  },
  {
    name: 'a close date',
    turns: [{ say: 'Change the close date of OPP-123 to 2027-03-31' }, { card: 'approve' }],
    writes: [{ update: 'Opportunity', named: 'Acme sensor rollout', set: { CloseDate: '2027-03-31' } }],
    cards: 1,
  },
  {
    name: 'a next step',
    turns: [{ say: 'Set the next step of OPP-123 to "Call Rosa on Monday"' }, { card: 'approve' }],
    writes: [{ update: 'Opportunity', named: 'Acme sensor rollout', set: { NextStep: 'Call Rosa on Monday' } }],
    cards: 1,
  },
  {
    name: 'which deal is meant is asked',
    turns: [{ say: 'Change the amount to 50000', asks: /which|reference/i }],
    forbidden: ['UpdateOpportunity'],
  },
  {
    name: 'what to change is asked',
    turns: [{ say: 'Update OPP-123', asks: /what|stage/i }],
  },
  {
    name: 'a deal that is not there is not made up',
    turns: [{ say: 'Move OPP-999 to Closed Won', hears: /no opportunity|not find|could not|couldn't/i }],
  },
  {
    name: 'what is so already needs no card and no write',
    turns: [{ say: 'Move OPP-400 to Closed Won' }],
  },
  {
    name: 'a bot without the grant does not change deals',
    grants: ['READ_ACCOUNT'],
    turns: [{ say: MOVE, hears: /may not|cannot|can't|not able/i }],
    forbidden: ['UpdateOpportunity'],
  },
  {
    name: 'a deal that needs a signed-in approver waits for one',
    policy: (policy) => ({
      ...policy,
      actions: {
        ...policy.actions,
        UpdateOpportunity: { decision: 'confirm', assurance: 'session', rules: [], autoFields: [], expose: [] },
      },
    }),
    turns: [{ say: MOVE }],
    cards: 1,
  },
  {
    name: 'read-only mode writes nothing',
    policy: (policy) => ({ ...policy, mode: 'read-only' }),
    turns: [{ say: MOVE }],
  },
  {
    name: 'a bot that is off does nothing',
    policy: (policy) => ({ ...policy, mode: 'off' }),
    turns: [{ say: MOVE }, { say: 'Create a lead for Jane Doe at Initrode, jane@initrode.example' }],
  },
];
