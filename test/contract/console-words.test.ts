import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { consoleWords } from '../../src/domain/console-words.ts';

/** Whoever sits at the console has neither a terminal nor a client of the REST API: every cure names a place that they can press. */

const ROOT = new URL('../../', import.meta.url).pathname;
/** Rooms whose words no page of the console shows: the terminal's own, the toy org, what only MCP clients and starts read. */
const UNSEEN = /^src\/(cli\/|sim\/|mcp\/|runtime\/|domain\/console-words)/;
/** What no browser can do: start a process, and let somebody in who has no session (C3). */
const TERMINAL_ALONE = /gatehouse (serve|worker|demo --console|operator sign-in)\b/g;

const names = [...new Set(COMMANDS.flatMap(({ name }) => [name, name.split(' ')[0] ?? name]))];
const MENTION = new RegExp(
  String.raw`\bgatehouse (?:${names.join('|')})\b|\bpolicy (?:get|set)\b|\b(?:GET|POST|PUT|PATCH|DELETE) (?:/(?:api|mcp|v1|oauth)\b|x1)`,
);

interface Line {
  readonly at: string;
  readonly words: string;
}

/** Lines of code that speak of a command or a route, what is filled in at run time as a plain word. */
async function mentions(): Promise<readonly Line[]> {
  const files = (await Promise.all(['src', 'permissions', 'actions'].map(sources))).flat();
  const read = files
    .filter((file) => !UNSEEN.test(file))
    .map(async (file) =>
      (await readFile(path.join(ROOT, file), 'utf8')).split('\n').map((text, n) => ({ at: `${file}:${n + 1}`, text })),
    );
  return (await Promise.all(read))
    .flat()
    .filter(({ text }) => !/^\s*(\/?\*|\/\/)/.test(text) && !/\.describe\(|summary:/.test(text))
    .map(({ at, text }) => ({ at, words: filledIn(text) }))
    .filter(({ words }) => MENTION.test(words));
}

async function sources(folder: string): Promise<string[]> {
  const found = await readdir(path.join(ROOT, folder), { recursive: true });
  return found.filter((name) => /\.tsx?$/.test(name)).map((name) => path.join(folder, name));
}

/** `${row?.bot ?? 'BOT'}` as `x1`, also where another one is within. */
function filledIn(text: string): string {
  const shorter = text.replaceAll(/\$\{[^{}]*\}/g, 'x1');
  return shorter === text ? text : filledIn(shorter);
}

describe('what the console says', () => {
  it('names no command and no route, whatever refuses or warns [W10]', async () => {
    const found = await mentions();
    expect(found.length).toBeGreaterThan(25);
    const left = found
      .map(({ at, words }) => ({ at, words: consoleWords(words).replaceAll(TERMINAL_ALONE, '') }))
      .filter(({ words }) => MENTION.test(words));
    expect(left).toEqual([]);
  });

  it.each([
    ['Grant it again: gatehouse grant demo READ_ACCOUNT.', 'Grant it again: Permissions → demo.'],
    [
      'Tell the user that this bot cannot do this; only an operator can grant it (gatehouse grant shop CREATE_LEAD). Do not retry.',
      'Tell the user that this bot cannot do this; only an operator can grant it (Permissions → shop). Do not retry.',
    ],
    [
      "Ask the operator to connect it: the bot's page in the console, Connect, or gatehouse connect demo --flow web.",
      "Ask the operator to connect it: the bot's page in the console, Connect.",
    ],
    [
      'Ask the operator to press Reconnect on the connection card (or run gatehouse connect again).',
      'Ask the operator to press Reconnect on the connection card.',
    ],
    [
      'An operator sets lookups.party in the policy to Email: gatehouse policy get demo policy.json, then gatehouse policy set demo policy.json.',
      'An operator sets lookups.party in the policy to Email: Bots → demo → Policy.',
    ],
    [
      'See the names with: gatehouse bot list; make one with: gatehouse bot create NAME.',
      'See the names: Bots; make one: Bots → New bot.',
    ],
    [
      'Run gatehouse audit verify, and find out who can write into the database.',
      'Open Log → a row → Verify the chain, and find out who can write into the database.',
    ],
    [
      'POST /api/bots/demo/sync/parents {"object": "Account", "name": "A {b} Ltd.", ...} with "recordId" (choose), "create": true, or "leaveOut": true.',
      'Create it, choose a record, or leave it out: Sync → demo.',
    ],
    [
      'If it has moved, set the new address (PUT /api/bots/demo/sync/webhook).',
      'If it has moved, set the new address (Sync → demo → Events).',
    ],
  ])('tells where to press: %s [W10]', (told, shown) => {
    expect(consoleWords(told)).toBe(shown);
  });

  it('leaves every other text as it is', () => {
    for (const text of ['', 'The gatehouse is open.', 'Get /api docs', 'Amount changes by 5', 'gatehouses grant'])
      expect(consoleWords(text)).toBe(text);
  });
});
