import type { Scenario } from '../scenario.ts';

const JANE = { LastName: 'Doe', FirstName: 'Jane', Company: 'Initrode', Email: 'jane@initrode.example' };
const ROSA = 'I am interested in your enterprise plan. I am Rosa Gonzalez from Acme, rosa.gonzalez@acme.example';

export const leads: readonly Scenario[] = [
  {
    name: 'enterprise plan: asks for everything, creates the lead',
    turns: [
      { say: "I'd like to hear about your enterprise plan", asks: /name.*company.*email/is },
      { say: "I'm Jane Doe from Initrode", asks: /email/i },
      { say: 'jane@initrode.example', hears: /Jane Doe/ },
    ],
    writes: [{ create: 'Lead', with: JANE }],
  },
  {
    name: 'enterprise plan: everything at once',
    turns: [
      {
        say: "I'm interested in the enterprise plan. I'm Jane Doe from Initrode, jane@initrode.example",
        hears: /Jane Doe/,
      },
    ],
    writes: [{ create: 'Lead', with: JANE }],
  },
  {
    name: 'a missing company is asked for, not made up',
    turns: [
      { say: "I'd like a quote. My name is Jane Doe, jane@initrode.example", asks: /company/i },
      { say: 'Initrode' },
    ],
    writes: [{ create: 'Lead', with: JANE }],
  },
  {
    name: 'no company at all: the lead says so',
    turns: [
      { say: 'Please contact me about pricing. My name is Jane Doe, jane@home.example', asks: /company/i },
      { say: 'I have no company, it is private' },
    ],
    writes: [{ create: 'Lead', with: { LastName: 'Doe', Company: '[not provided]' } }],
  },
  {
    name: 'a missing name is asked for',
    turns: [
      { say: 'Please contact me about pricing: company is Initrode, jane@initrode.example', asks: /name/i },
      { say: 'Jane Doe' },
    ],
    writes: [{ create: 'Lead', with: JANE }],
  },
  {
    name: 'a missing email is asked for',
    turns: [{ say: 'Create a lead for Jane Doe at Initrode', asks: /email/i }, { say: 'It is jane@initrode.example' }],
    writes: [{ create: 'Lead', with: JANE }],
  },
  {
    name: 'a visitor who gives up leaves nothing behind',
    turns: [
      { say: 'I want to talk to sales', asks: /name/i },
      { say: 'Never mind, another time' },
      { say: 'Initrode', hears: /./ },
    ],
    forbidden: ['CreateLead'],
  },
  {
    name: 'the same wish twice is one lead',
    turns: [
      { say: 'Create a lead for Jane Doe at Initrode, jane@initrode.example' },
      { say: 'Create a lead for Jane Doe at Initrode, jane@initrode.example' },
    ],
    writes: [{ create: 'Lead', with: JANE }],
  },
  {
    name: 'a name with particles is kept whole',
    turns: [{ say: 'Create a lead for Jan de Vries at Initrode, jan@initrode.example' }],
    writes: [{ create: 'Lead', with: { FirstName: 'Jan', LastName: 'de Vries' } }],
  },
  { name: 'a look-alike: the known record is used', turns: [{ say: ROSA }, { card: 1 }], cards: 1 },
  {
    name: 'a look-alike: a new lead all the same',
    turns: [{ say: ROSA }, { card: 2 }],
    writes: [{ create: 'Lead', with: { LastName: 'Gonzalez' } }],
    cards: 1,
  },
  { name: 'a look-alike: declined', turns: [{ say: ROSA }, { card: 'reject' }], cards: 1 },
  {
    name: 'a bot without the grant says so',
    grants: ['READ_ACCOUNT'],
    turns: [
      { say: 'Create a lead for Jane Doe at Initrode, jane@initrode.example', hears: /may not|cannot|can't|not able/i },
    ],
    forbidden: ['CreateLead'],
  },
  {
    name: 'over the hourly rate a person is asked',
    policy: (policy) => ({
      ...policy,
      actions: {
        ...policy.actions,
        CreateLead: {
          decision: 'auto',
          assurance: 'client',
          rules: [{ if: { runsThisHourAtLeast: 0 }, then: 'confirm' }],
          autoFields: [],
          expose: [],
        },
      },
    }),
    turns: [{ say: 'Create a lead for Jane Doe at Initrode, jane@initrode.example' }, { card: 'approve' }],
    writes: [{ create: 'Lead', with: JANE }],
    cards: 1,
  },
  {
    name: 'public: a new visitor becomes a lead and gets a receipt',
    audience: 'public',
    grants: ['CREATE_LEAD', 'READ_ACCOUNT'],
    turns: [
      { say: 'Please contact me. I am Jane Doe from Initrode, jane@initrode.example', hears: /thank|request|touch/i },
    ],
    writes: [{ create: 'Lead', with: JANE }],
  },
  {
    name: 'public: a known visitor gets the same receipt, and operators decide',
    audience: 'public',
    grants: ['CREATE_LEAD', 'READ_ACCOUNT'],
    turns: [{ say: ROSA, hears: /^(?!.*(already|known|exists)).*(thank|request|touch)/is }],
  },
];
