import { type Kind, type Mapping, type Rule, ruleKey, type Transform } from '../../domain/mapping.ts';

/** What a fresh bot starts with; operators change any of it. */
export function defaultMapping(kind: Kind): Mapping {
  return kind === 'party' ? PARTY : CASE;
}

/** A rule that a fresh bot was given: where the org lacks its field it waits, and stops nobody. */
export function isShippedRule({ kind, object }: Mapping, rule: Rule): boolean {
  const shipped = defaultMapping(kind);
  return object === shipped.object && shipped.rules.some((one) => ruleKey(one) === ruleKey(rule));
}

const both = (local: string, remote: string, ...transforms: Transform[]): Rule => ({
  local: [local],
  remote: [remote],
  direction: 'both',
  transforms,
});
const toCrm = (local: string, remote: string, ...transforms: Transform[]): Rule => ({
  ...both(local, remote, ...transforms),
  direction: 'to_crm',
});
const fromCrm = (local: string, remote: string): Rule => ({ ...both(local, remote), direction: 'from_crm' });

const common = {
  roles: {},
  tie: 'salesforce',
  onRemoteDelete: 'keep',
  onHostDelete: 'keep',
  allowDuplicates: false,
} as const;

const PARTY: Mapping = {
  ...common,
  kind: 'party',
  object: 'Contact',
  lookup: { local: 'email', remote: 'Email' },
  rules: [
    both('email', 'Email', { use: 'trim' }),
    { local: ['name'], remote: ['FirstName', 'LastName'], direction: 'both', transforms: [{ use: 'split_name' }] },
    both('phone', 'Phone'),
    both('jobTitle', 'Title'),
    both('notes', 'Description'),
    toCrm('location', 'MailingCity'),
    toCrm('timezone', 'TimeZone__c'),
    { ...both('company', 'Account.Name'), parent: 'find' },
    fromCrm('industry', 'Account.Industry'),
    fromCrm('website', 'Account.Website'),
  ],
};

const CASE: Mapping = {
  ...common,
  kind: 'case',
  object: 'Opportunity',
  lookup: null,
  roles: { complainant: 'Complainant', respondent: 'Respondent', other: 'Other' },
  rules: [
    both('title', 'Name', { use: 'trim' }),
    both(
      'status',
      'StageName',
      { use: 'default', value: 'open' },
      {
        use: 'values',
        otherwise: 'refuse',
        pairs: [
          ['open', 'Prospecting'],
          ['in_progress', 'Qualification'],
          ['in_progress', 'Needs Analysis'],
          ['in_progress', 'Value Proposition'],
          ['in_progress', 'Id. Decision Makers'],
          ['in_progress', 'Perception Analysis'],
          ['proposal', 'Proposal/Price Quote'],
          ['negotiation', 'Negotiation/Review'],
          ['resolved', 'Closed Won'],
          ['closed', 'Closed Lost'],
          ['new', 'Prospecting'],
          ['withdrawn', 'Closed Lost'],
        ],
      },
    ),
    both('amount', 'Amount'),
    both(
      'expectedDate',
      'CloseDate',
      { use: 'date', form: 'date' },
      { use: 'default', from: 'createdAt', plusDays: 90 },
    ),
    both('summary', 'Description'),
    toCrm('type', 'Type'),
  ],
};
