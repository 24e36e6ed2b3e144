import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';

/** What an operator's session or key is asked for over REST is asked for in the terminal, too. */

const COMMANDS = new URL('../../src/cli/commands/', import.meta.url);

/** They decide nothing, and nothing leaves by them; each with what stands in for an operator. */
const WITHOUT: Readonly<Record<string, string>> = {
  'action-get': 'reads',
  'action-list': 'reads',
  'app-list': 'reads',
  approve: 'decide.ts asks',
  'audit-export': 'reads, sealed values left out',
  'audit-verify': 'reads',
  'bot-list': 'reads',
  call: 'as the bot, through its gate',
  chat: 'as the bot, through its gate',
  'check-oauth': 'looks from outside, as any client',
  demo: 'a data folder that is thrown away',
  mcp: 'as the bot, by its key',
  'operator-list': 'reads',
  'org-check': 'reads',
  'policy-get': 'reads',
  'policy-off': 'switch-action.ts asks',
  'policy-on': 'switch-action.ts asks',
  'policy-try': 'as the bot; writes nothing',
  'policy-unused': 'reads',
  proposals: 'reads',
  reject: 'decide.ts asks',
  'role-list': 'reads',
  serve: 'starts a process',
  'sign-in': 'prints what operator-sign-in made',
  sim: 'starts a process',
  'soql-check': 'reads',
  status: 'reads',
  'subscription-list': 'reads',
  worker: 'starts a process',
};

describe('the commands', () => {
  it('ask for an operator wherever they change something: a new one asks, or says here why not [S1] [C3]', async () => {
    const names = (await readdir(COMMANDS)).map((file) => file.replace(/\.ts$/, ''));
    const asking = new Set<string>();
    for (const name of names)
      if (/askOperator(OnceReal)?\(/.test(await readFile(new URL(`${name}.ts`, COMMANDS), 'utf8'))) asking.add(name);
    expect(names.filter((name) => !asking.has(name)).sort()).toEqual(Object.keys(WITHOUT).sort());
  });
});
