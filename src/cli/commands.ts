import type { Command } from './command.ts';

/** Every command there is, in the order of the help. Only the one that was asked for is loaded (F1). */
export interface ListedCommand {
  readonly name: string;
  readonly summary: string;
  load(): Promise<{ readonly command: Command }>;
}

export const COMMANDS: readonly ListedCommand[] = [
  { name: 'serve', summary: 'Serve MCP, REST and the console over HTTP', load: () => import('./commands/serve.ts') },
  {
    name: 'mcp',
    summary: 'Serve one bot over MCP on standard input and output',
    load: () => import('./commands/mcp.ts'),
  },
  { name: 'chat', summary: 'Talk to a bot in the terminal', load: () => import('./commands/chat.ts') },
  { name: 'worker', summary: 'Sync in the background, beside serve', load: () => import('./commands/worker.ts') },
  { name: 'demo', summary: 'Play the main job against a simulated org', load: () => import('./commands/demo.ts') },
  { name: 'sim', summary: 'Serve the simulated Salesforce org by itself', load: () => import('./commands/sim.ts') },
  { name: 'bot create', summary: 'Make a bot; prints its keys once', load: () => import('./commands/bot-create.ts') },
  { name: 'bot list', summary: 'List the bots', load: () => import('./commands/bot-list.ts') },
  { name: 'bot key', summary: 'Make a new key for a bot', load: () => import('./commands/bot-key.ts') },
  {
    name: 'bot delete',
    summary: 'Delete a bot and all that is kept of it',
    load: () => import('./commands/bot-delete.ts'),
  },
  {
    name: 'operator create',
    summary: 'Make an operator; prints the key once',
    load: () => import('./commands/operator-create.ts'),
  },
  {
    name: 'operator list',
    summary: 'List the operators, with roles and keys',
    load: () => import('./commands/operator-list.ts'),
  },
  { name: 'operator role', summary: "Change an operator's role", load: () => import('./commands/operator-role.ts') },
  {
    name: 'operator remove',
    summary: 'Remove an operator; ends sessions and keys',
    load: () => import('./commands/operator-remove.ts'),
  },
  {
    name: 'operator key',
    summary: 'Make an operator a new key, or revoke them',
    load: () => import('./commands/operator-key.ts'),
  },
  {
    name: 'operator sign-in',
    summary: 'Print a one-time sign-in link for the console',
    load: () => import('./commands/operator-sign-in.ts'),
  },
  {
    name: 'role list',
    summary: 'List the roles, with what each may',
    load: () => import('./commands/role-list.ts'),
  },
  {
    name: 'role set',
    summary: 'Make or change a role: permissions of people, for some bots or every one',
    load: () => import('./commands/role-set.ts'),
  },
  { name: 'role remove', summary: 'Remove a role that nobody holds', load: () => import('./commands/role-remove.ts') },
  {
    name: 'app list',
    summary: 'List the programs that people let in by sign-in',
    load: () => import('./commands/app-list.ts'),
  },
  { name: 'app end', summary: 'End one of them', load: () => import('./commands/app-end.ts') },
  {
    name: 'check-oauth',
    summary: 'Walk the sign-in of an MCP address as a client does',
    load: () => import('./commands/check-oauth.ts'),
  },
  { name: 'grant', summary: 'Grant permissions to a bot, or revoke them', load: () => import('./commands/grant.ts') },
  { name: 'connect', summary: 'Connect a bot to its Salesforce org', load: () => import('./commands/connect.ts') },
  { name: 'disconnect', summary: 'Revoke and forget a connection', load: () => import('./commands/disconnect.ts') },
  { name: 'status', summary: "Show a bot's connection and what waits", load: () => import('./commands/status.ts') },
  {
    name: 'org check',
    summary: "What a bot's Salesforce user may do too little, or too much",
    load: () => import('./commands/org-check.ts'),
  },
  {
    name: 'org prepare',
    summary: 'Make the package that an admin sets an org up by, and deploy it after a yes',
    load: () => import('./commands/org-prepare.ts'),
  },
  { name: 'call', summary: 'Call an action as a bot, through the gate', load: () => import('./commands/call.ts') },
  { name: 'proposals', summary: 'List what waits for a person', load: () => import('./commands/proposals.ts') },
  { name: 'approve', summary: 'Approve a proposal; runs it once', load: () => import('./commands/approve.ts') },
  { name: 'reject', summary: 'Reject a proposal', load: () => import('./commands/reject.ts') },
  { name: 'undo', summary: 'Ask to take back a write, by its audit row', load: () => import('./commands/undo.ts') },
  {
    name: 'audit verify',
    summary: 'Prove that no row was changed or removed',
    load: () => import('./commands/audit-verify.ts'),
  },
  { name: 'audit export', summary: 'Print every row as a JSON line', load: () => import('./commands/audit-export.ts') },
  { name: 'audit erase', summary: 'Blank what is kept of one person', load: () => import('./commands/audit-erase.ts') },
  { name: 'policy get', summary: "Print a bot's policy", load: () => import('./commands/policy-get.ts') },
  { name: 'policy set', summary: "Check and save a bot's policy", load: () => import('./commands/policy-set.ts') },
  {
    name: 'policy try',
    summary: 'Tell what a call would meet; nothing runs',
    load: () => import('./commands/policy-try.ts'),
  },
  {
    name: 'policy unused',
    summary: 'What a bot holds and never used in 30 days',
    load: () => import('./commands/policy-unused.ts'),
  },
  {
    name: 'policy mode',
    summary: 'Switch a bot: off, read-only, ask, automatic',
    load: () => import('./commands/policy-mode.ts'),
  },
  { name: 'policy off', summary: 'Switch one action of a bot off', load: () => import('./commands/policy-off.ts') },
  { name: 'policy on', summary: 'Switch one action of a bot on again', load: () => import('./commands/policy-on.ts') },
  {
    name: 'subscription list',
    summary: 'List the objects that the host app is told of',
    load: () => import('./commands/subscription-list.ts'),
  },
  {
    name: 'subscription set',
    summary: 'Tell the host app of an object, or as a field becomes a value',
    load: () => import('./commands/subscription-set.ts'),
  },
  {
    name: 'subscription remove',
    summary: 'End a subscription',
    load: () => import('./commands/subscription-remove.ts'),
  },
  {
    name: 'action list',
    summary: 'List the declared actions of a bot',
    load: () => import('./commands/action-list.ts'),
  },
  {
    name: 'action get',
    summary: 'Print the definition of a declared action',
    load: () => import('./commands/action-get.ts'),
  },
  {
    name: 'action set',
    summary: 'Check and save a declared action',
    load: () => import('./commands/action-set.ts'),
  },
  {
    name: 'action check',
    summary: 'Check a definition; saves nothing',
    load: () => import('./commands/action-check.ts'),
  },
  {
    name: 'action remove',
    summary: 'Remove a declared action and its grant',
    load: () => import('./commands/action-remove.ts'),
  },
  { name: 'soql check', summary: 'Judge queries as RunSOQL would', load: () => import('./commands/soql-check.ts') },
  {
    name: 'link',
    summary: 'Say which Salesforce record a person or case is',
    load: () => import('./commands/link.ts'),
  },
  { name: 'unlink', summary: 'End a link; both records stay', load: () => import('./commands/unlink.ts') },
  { name: 'sync', summary: 'Bring people and cases of a bot into step', load: () => import('./commands/sync.ts') },
];
