import { readdir, readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { FIELD_CASES, OWED_CASES } from '../field-cases.ts';
import { REQUIREMENTS } from '../requirements.ts';

const TESTS = new URL('../', import.meta.url);

it('has a test for every promise that we say we hold', async () => {
  const cited = await citedIds();
  const held = Object.entries(REQUIREMENTS).filter(([, state]) => state === 'held');
  const owed = Object.entries(REQUIREMENTS).filter(([, state]) => state.startsWith('owed'));
  if (owed.length > 0)
    process.stderr.write(`owed: ${owed.map(([id, state]) => `${id} (${state.slice(6)})`).join(', ')}\n`);
  expect(held.map(([id]) => id).filter((id) => !cited.has(id))).toEqual([]);
});

it('has a test for every property of the sync design', async () => {
  const cited = await citedIds();
  const properties = Array.from({ length: 32 }, (_, n) => `sync-P${n + 1}`);
  expect(properties.filter((id) => !cited.has(id))).toEqual([]);
});

it('has a test for every field case that it does not owe', async () => {
  const cited = await citedIds();
  const owed = Object.entries(OWED_CASES);
  if (owed.length > 0) process.stderr.write(`owed: ${owed.map(([id, why]) => `${id} (${why})`).join(', ')}\n`);
  expect(Object.keys(FIELD_CASES).filter((id) => !(id in OWED_CASES) && !cited.has(id))).toEqual([]);
});

it('cites no promise that is not in the list', async () => {
  const unknown = [...(await citedIds())].filter(
    (id) => !(id in REQUIREMENTS) && !(id in FIELD_CASES) && !/^sync-P\d+$/.test(id),
  );
  expect(unknown).toEqual([]);
});

/** Every id inside `[A3]`, `[A3 P2]` or `[sync-P6] [S2]` at the end of a test's name. */
async function citedIds(): Promise<Set<string>> {
  const names = (await readdir(TESTS, { recursive: true })).filter((name) => name.endsWith('.test.ts'));
  const texts = await Promise.all(names.map((name) => readFile(new URL(name, TESTS), 'utf8')));
  const id = '(?:(?:sync-)?[A-Z]\\d{1,2}|E)';
  const group = new RegExp(`\\[(${id}(?:[ ,]+${id})*)\\](?=['"\`]| \\[)`, 'g');
  const ids = texts.flatMap((text) => [...text.matchAll(group)].flatMap(([, inside = '']) => inside.split(/[ ,]+/)));
  return new Set(ids.filter(Boolean));
}
