import type { Command } from './command.ts';

/** Every command there is, in the order of the help. Only the one that was asked for is loaded (F1). */
export interface ListedCommand {
  readonly name: string;
  readonly summary: string;
  load(): Promise<{ readonly command: Command }>;
}

export const COMMANDS: readonly ListedCommand[] = [
  { name: 'serve', summary: 'Serve MCP, REST and the console over HTTP', load: () => import('./serve.ts') },
  { name: 'mcp', summary: 'Serve one bot over MCP on standard input and output', load: () => import('./mcp.ts') },
  { name: 'chat', summary: 'Talk to a bot in the terminal', load: () => import('./chat.ts') },
  { name: 'worker', summary: 'Sync in the background, beside serve', load: () => import('./worker.ts') },
  { name: 'demo', summary: 'Play the main job against a simulated org', load: () => import('./demo.ts') },
  { name: 'sim', summary: 'Serve the simulated Salesforce org by itself', load: () => import('./sim.ts') },
  { name: 'bot create', summary: 'Make a bot; prints its keys once', load: () => import('./bot-create.ts') },
  { name: 'bot list', summary: 'List the bots', load: () => import('./bot-list.ts') },
  { name: 'bot key', summary: 'Make a new key for a bot', load: () => import('./bot-key.ts') },
  { name: 'bot delete', summary: 'Delete a bot and all that is kept of it', load: () => import('./bot-delete.ts') },
  {
    name: 'operator create',
    summary: 'Make an operator; prints the key once',
    load: () => import('./operator-create.ts'),
  },
  {
    name: 'operator list',
    summary: 'List the operators, with roles and keys',
    load: () => import('./operator-list.ts'),
  },
  { name: 'operator role', summary: "Change an operator's role", load: () => import('./operator-role.ts') },
  {
    name: 'operator remove',
    summary: 'Remove an operator; ends sessions and keys',
    load: () => import('./operator-remove.ts'),
  },
  {
    name: 'operator key',
    summary: 'Make an operator a new key, or revoke them',
    load: () => import('./operator-key.ts'),
  },
  {
    name: 'operator sign-in',
    summary: 'Print a one-time sign-in link for the console',
    load: () => import('./operator-sign-in.ts'),
  },
  { name: 'grant', summary: 'Grant permissions to a bot, or revoke them', load: () => import('./grant.ts') },
  { name: 'connect', summary: 'Connect a bot to its Salesforce org', load: () => import('./connect.ts') },
  { name: 'disconnect', summary: 'Revoke and forget a connection', load: () => import('./disconnect.ts') },
  { name: 'status', summary: "Show a bot's connection and what waits", load: () => import('./status.ts') },
  { name: 'call', summary: 'Call an action as a bot, through the gate', load: () => import('./call.ts') },
  { name: 'proposals', summary: 'List what waits for a person', load: () => import('./proposals.ts') },
  { name: 'approve', summary: 'Approve a proposal; runs it once', load: () => import('./approve.ts') },
  { name: 'reject', summary: 'Reject a proposal', load: () => import('./reject.ts') },
  { name: 'undo', summary: 'Ask to take back a write, by its audit row', load: () => import('./undo.ts') },
  {
    name: 'audit verify',
    summary: 'Prove that no row was changed or removed',
    load: () => import('./audit-verify.ts'),
  },
  { name: 'audit export', summary: 'Print every row as a JSON line', load: () => import('./audit-export.ts') },
  { name: 'audit erase', summary: 'Blank what is kept of one person', load: () => import('./audit-erase.ts') },
  { name: 'policy get', summary: "Print a bot's policy", load: () => import('./policy-get.ts') },
  { name: 'policy set', summary: "Check and save a bot's policy", load: () => import('./policy-set.ts') },
  { name: 'policy try', summary: 'Tell what a call would meet; nothing runs', load: () => import('./policy-try.ts') },
  {
    name: 'policy mode',
    summary: 'Switch a bot: off, read-only, ask, automatic',
    load: () => import('./policy-mode.ts'),
  },
  { name: 'policy off', summary: 'Switch one action of a bot off', load: () => import('./policy-off.ts') },
  { name: 'policy on', summary: 'Switch one action of a bot on again', load: () => import('./policy-on.ts') },
  { name: 'soql check', summary: 'Judge queries as RunSOQL would', load: () => import('./soql-check.ts') },
  { name: 'link', summary: 'Say which Salesforce record a person or case is', load: () => import('./link.ts') },
  { name: 'unlink', summary: 'End a link; both records stay', load: () => import('./unlink.ts') },
  { name: 'sync', summary: 'Bring people and cases of a bot into step', load: () => import('./sync.ts') },
];
