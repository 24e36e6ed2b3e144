import { readdir, readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { FIELD_CASES, OWED_CASES } from '../field-cases.ts';
import { REQUIREMENTS } from '../requirements.ts';
import { SYNC_PROPERTIES } from '../sync-properties.ts';

const TESTS = new URL('../', import.meta.url);

it('has a test for every promise that we say we hold', async () => {
  const cited = await citedIds();
  const held = Object.entries(REQUIREMENTS).filter(([, { state }]) => state === 'held');
  const owed = Object.entries(REQUIREMENTS).filter(([, { state }]) => state.startsWith('owed'));
  if (owed.length > 0)
    process.stderr.write(`owed: ${owed.map(([id, { state }]) => `${id} (${state.slice(6)})`).join(', ')}\n`);
  expect(held.map(([id]) => id).filter((id) => !cited.has(id))).toEqual([]);
});

it('has a test for every property of the sync design', async () => {
  const cited = await citedIds();
  expect(Object.keys(SYNC_PROPERTIES).filter((id) => !cited.has(id))).toEqual([]);
});

it('has a test for every field case that it does not owe', async () => {
  const cited = await citedIds();
  const owed = Object.entries(OWED_CASES);
  if (owed.length > 0) process.stderr.write(`owed: ${owed.map(([id, why]) => `${id} (${why})`).join(', ')}\n`);
  expect(Object.keys(FIELD_CASES).filter((id) => !(id in OWED_CASES) && !cited.has(id))).toEqual([]);
});

it('cites no promise that is not in the list', async () => {
  expect([...(await citedIds())].filter((id) => !isKnown(id))).toEqual([]);
});

it('cites no promise in a comment that cannot be looked up here, and no page that does not ship', async () => {
  const unknown: string[] = [];
  for (const folder of ['actions', 'permissions', 'prompts', 'src']) {
    const at = new URL(`../../${folder}/`, import.meta.url);
    for (const name of (await readdir(at, { recursive: true })).filter((file) => file.endsWith('.ts'))) {
      const text = await readFile(new URL(name, at), 'utf8');
      const ids = [...text.matchAll(new RegExp(`\\((${ID}(?:[ ,]+${ID})*)\\)(?=[.,:; ]|$)`, 'gm'))].flatMap(
        ([, inside = '']) => inside.split(/[ ,]+/),
      );
      const pages = [...text.matchAll(/\b([a-z-]+\.md)\b/g)]
        .map(([, page = '']) => page)
        .filter((page) => !PAGES.has(page));
      unknown.push(
        ...[...ids.filter((id) => id !== '' && !isKnown(id)), ...pages].map((cited) => `${folder}/${name}: ${cited}`),
      );
    }
  }
  expect(unknown).toEqual([]);
});

const ID = '(?:(?:sync-)?[A-Z]\\d{1,2})';
const PAGES = new Set(await readdir(new URL('../../docs/', import.meta.url)));
const isKnown = (id: string) => id in REQUIREMENTS || id in FIELD_CASES || id in SYNC_PROPERTIES;

/** Every id inside `[A3]`, `[A3 P2]` or `[sync-P6] [S2]` at the end of a test's name. */
async function citedIds(): Promise<Set<string>> {
  const names = (await readdir(TESTS, { recursive: true })).filter((name) => name.endsWith('.test.ts'));
  const texts = await Promise.all(names.map((name) => readFile(new URL(name, TESTS), 'utf8')));
  const id = '(?:(?:sync-)?[A-Z]\\d{1,2}|E)';
  const group = new RegExp(`\\[(${id}(?:[ ,]+${id})*)\\](?=['"\`]| \\[)`, 'g');
  const ids = texts.flatMap((text) => [...text.matchAll(group)].flatMap(([, inside = '']) => inside.split(/[ ,]+/)));
  return new Set(ids.filter(Boolean));
}
