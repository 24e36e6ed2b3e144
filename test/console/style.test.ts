import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

/** The sheet and the markup are written apart: what one of them names, the other must know. */

const ROOT = new URL('../../src/', import.meta.url).pathname;

describe('style.css', () => {
  it('dresses no class that nothing wears [W10]', async () => {
    const written = new Set((await markup()).match(/[a-z][\w-]*/gi));
    expect(classesOf(await sheet()).filter((name) => !written.has(name))).toEqual([]);
  });

  it('says each thing once: no selector twice under the same condition [W10]', async () => {
    const seen = new Set<string>();
    const twice = rulesOf(await sheet()).filter((rule) => seen.size === seen.add(rule).size);
    expect(twice).toEqual([]);
  });

  it('leaves no rule of a wide screen outside of its condition [W10]', async () => {
    // Within a condition a line is set in by two; outside it begins at the edge.
    let depth = 0;
    const wrong = (await sheet()).split('\n').filter((line) => {
      const at = depth;
      depth += (line.match(/\{/g) ?? []).length - (line.match(/\}/g) ?? []).length;
      return /\{.*\}$/.test(line) && line.startsWith('  ') !== at > 0;
    });
    expect([depth, wrong]).toEqual([0, []]);
  });
});

describe('the pages', () => {
  it('have no button that is off but those that say why: parts/button.tsx [W10]', async () => {
    const app = path.join(ROOT, 'console/app');
    const files = (await readdir(app, { recursive: true })).filter((name) => /\.tsx$/.test(name));
    const mute: string[] = [];
    for (const name of files)
      for (const [tag] of (await readFile(path.join(app, name), 'utf8')).matchAll(/<(?:button|Link|a)\b(?:=>|[^>])*>/g))
        if (/\b(?:disabled|aria-disabled|title)\b/.test(tag) && name !== 'parts/button.tsx')
          mute.push(`${name}: ${tag}`);
    expect(mute).toEqual([]);
  });
});

const sheet = async () =>
  (await readFile(path.join(ROOT, 'console/app/style.css'), 'utf8')).replaceAll(/\/\*[\s\S]*?\*\//g, '');

/** Everything that draws: the app, the server's pages, the chat upon the same sheet. */
async function markup(): Promise<string> {
  const files = (await readdir(path.join(ROOT, 'console'), { recursive: true })).filter((name) => /\.tsx?$/.test(name));
  const texts = await Promise.all(files.map((name) => readFile(path.join(ROOT, 'console', name), 'utf8')));
  // Words in quotes and templates alone: a class that is the name of a variable is worn by nobody.
  return texts.flatMap((text) => text.match(/'[^'\n]*'|"[^"\n]*"|`[^`]*`/g) ?? []).join(' ');
}

const classesOf = (css: string): readonly string[] => [
  ...new Set(rulesOf(css).flatMap((rule) => Array.from(rule.matchAll(/\.([a-z][\w-]*)/gi), ([, name = '']) => name))),
];

/** Selectors, each with the conditions that it stands under. */
function rulesOf(css: string): readonly string[] {
  const under: string[] = [];
  const rules: string[] = [];
  for (const [, head = '', sign] of css.matchAll(/([^{}]*)([{}])/g)) {
    if (sign === '}') under.pop();
    else {
      const words = head.trim().replaceAll(/\s+/g, ' ').split(';').at(-1)?.trim() ?? '';
      if (!words.startsWith('@')) rules.push([...under, words].join(' '));
      under.push(words);
    }
  }
  return rules;
}
