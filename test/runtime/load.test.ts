import { mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { defineAction } from '../../src/domain/action.ts';
import { checkAction, kebab, loadActions } from '../../src/runtime/load.ts';

const good = defineAction({
  name: 'GetThing',
  title: 'Get a thing',
  description: 'Gets one thing.',
  permission: 'READ_ACCOUNT',
  risk: 'read',
  touches: { reads: ['Account'] },
  input: z.strictObject({ id: z.string().describe('Its id') }),
  output: z.object({}),
  run: async () => ({}),
});

it('finds what lies in the folder, the six of the first day among it, by the kebab form of their names [A1]', async () => {
  const folder = new URL('../../actions/', import.meta.url);
  const names = (await loadActions(folder)).map(({ name }) => name);
  expect(names.map((name) => `${kebab(name)}.ts`)).toEqual((await readdir(folder)).sort());
  expect(names).toEqual(
    expect.arrayContaining(['CreateLead', 'GetAccount', 'RunSOQL', 'SyncCase', 'SyncParty', 'UpdateOpportunity']),
  );
  expect(kebab('RunSOQL')).toBe('run-soql');
});

it('refuses everything that was not made by defineAction, and every mistake in what was', () => {
  const forged = { ...good };
  expect(() => checkAction('get-thing', forged)).toThrow('does not export an action');
  expect(() => checkAction('get-thing', undefined)).toThrow('does not export an action');
  expect(() => checkAction('thing', good)).toThrow('holds the action GetThing');
  const make = (change: object) =>
    defineAction({ ...good, ...change } as Parameters<typeof defineAction<typeof good.input, typeof good.output>>[0]);
  expect(() => checkAction('get-thing', make({ permission: 'EVERYTHING' }))).toThrow('asks for "EVERYTHING"');
  expect(() => checkAction('get thing', make({ name: 'Get Thing' }))).toThrow('names its action');
  expect(() => checkAction('get-thing', make({ risk: 'write' }))).toThrow('writes without a preview');
  expect(() => checkAction('get-thing', make({ input: z.strictObject({ id: z.string() }) }))).toThrow(
    'has no description',
  );
  expect(checkAction('get-thing', good)).toBe(good);
});

it('stops at a stray file instead of leaving it out', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-actions-'));
  await writeFile(path.join(folder, 'stray.ts'), 'export const x = 1;\n');
  await expect(loadActions(pathToFileURL(`${folder}/`))).rejects.toMatchObject({ code: 'config_invalid' });
});
