import { shippedPolicy } from '../../permissions/policy.ts';
import type { Proposal } from '../../src/domain/proposal.ts';
import type { AuditEntry, AuditRow, BotRow, ConnectionRow } from '../../src/ports/store.ts';

/** Whole rows to store, each with what the test is about changed. */

export const NOW = 1_763_758_000_123;

export const aBot = (
  change: Partial<Omit<BotRow, 'policyRevision' | 'declared'>> = {},
): Omit<BotRow, 'policyRevision' | 'declared'> => ({
  name: 'demo',
  audience: 'internal',
  profile: 'internal',
  createdAt: NOW,
  grants: ['READ_ACCOUNT', 'CREATE_LEAD'],
  policy: shippedPolicy('internal'),
  ...change,
});

export const aConnection = (change: Partial<ConnectionRow> = {}): ConnectionRow => ({
  bot: 'demo',
  id: 'connection-1',
  flow: 'web',
  state: 'connected',
  orgId: '00D000000000001AAA',
  userId: '005000000000001AAA',
  username: 'ada@example.com',
  instanceUrl: 'https://example.my.salesforce.com',
  loginUrl: 'https://login.salesforce.com',
  environment: 'production',
  scopes: 'api refresh_token',
  connectedAt: NOW,
  tokenVersion: 1,
  leaseOwner: null,
  leaseUntil: 0,
  fence: 0,
  breakerState: 'closed',
  breakerFailures: 0,
  breakerSuccesses: 0,
  breakerUntil: 0,
  clockOffsetMs: -1500,
  apiUsed: null,
  apiMax: null,
  apiAt: null,
  limitedUntil: 0,
  lastSuccessAt: null,
  lastFailureAt: null,
  lastFailureCode: null,
  lastFailureMessage: null,
  lastFailureNext: null,
  lastSyncAt: null,
  lastEventAt: null,
  successes: 0,
  failures: 0,
  ...change,
});

export const aProposal = (change: Partial<Proposal> = {}): Proposal => ({
  id: 'proposal-1',
  bot: 'demo',
  orgId: '00D000000000001AAA',
  userId: '005000000000001AAA',
  principal: 'agent:demo',
  conversation: null,
  action: 'UpdateOpportunity',
  args: { reference: 'OPP-123', amount: 1200.5, note: 'Grüße \u0000 "quoted" 🙂', nested: { list: [1, null, true] } },
  digest: 'digest-1',
  dedupeKey: null,
  preview: {
    summary: 'Update one opportunity',
    changes: [{ field: 'Amount', label: 'Amount', before: null, after: 1200.5 }],
  },
  reasons: ['UpdateOpportunity asks a human'],
  assurance: 'client',
  clientDecline: 'ends',
  policyRevision: 1,
  visitor: null,
  session: null,
  state: 'pending',
  createdAt: NOW,
  expiresAt: NOW + 600_000,
  decidedBy: null,
  decidedVia: null,
  decidedAt: null,
  choice: null,
  runner: null,
  leaseUntil: null,
  effects: [],
  result: null,
  error: null,
  settledAt: null,
  seal: 'seal-1',
  effectsSeal: 'seal-2',
  ...change,
});

export const anEntry = (change: Partial<AuditEntry> = {}): AuditEntry => ({
  at: NOW,
  bot: 'demo',
  principal: 'agent:demo',
  channel: 'mcp',
  action: 'CreateLead',
  event: 'done',
  decision: 'auto',
  assurance: null,
  proposal: null,
  digest: null,
  policyRevision: 1,
  object: 'Lead',
  recordId: null,
  detail: '{}',
  sealed: null,
  ...change,
});

/** Enough of a hash to show order and content; the real one is the audit's. */
export const hashOf = ({ seq, previous, event }: Omit<AuditRow, 'hash'>): string =>
  `${seq}:${event}:${previous.slice(-12)}`;
