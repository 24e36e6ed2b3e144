/**
 * What Gatehouse itself says: decisions of people, its doors and rooms, its commands, and whom a talk is between. An action of such a name
 * would be taken for it, by people who read a card or a log, and by models that are told "you cannot approve".
 */
export const RESERVED_NAMES: readonly string[] = [
  ...['approve', 'approval', 'approvals', 'approved', 'reject', 'rejected', 'decline', 'declined', 'deny', 'denied'],
  ...['confirm', 'cancel', 'decide', 'decision', 'undo', 'yes', 'no', 'ok', 'proposal', 'proposals', 'propose'],
  ...[
    'operator',
    'visitor',
    'host',
    'agent',
    'system',
    'user',
    'assistant',
    'tool',
    'admin',
    'gatehouse',
    'salesforce',
  ],
  ...['bot', 'bots', 'grant', 'revoke', 'connect', 'disconnect', 'connection', 'policy', 'policies', 'audit', 'access'],
  ...['sync', 'syncheld', 'salesforcelink', 'link', 'unlink', 'subscription', 'mapping', 'action', 'actions', 'app'],
  ...['role', 'roles'],
  ...['serve', 'worker', 'mcp', 'chat', 'demo', 'sim', 'call', 'status', 'org', 'soql', 'help', 'version', 'signin'],
  // Names that every object of the language has.
  ...['constructor', 'prototype', 'tostring', 'valueof', 'tojson', 'hasownproperty', 'tolocalestring', 'isprototypeof'],
  ...['propertyisenumerable', 'definegetter', 'definesetter', 'lookupgetter', 'lookupsetter', 'proto'],
];
