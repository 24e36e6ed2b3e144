import { describe, expect, it } from 'vitest';
import { parseJson } from '../../src/domain/json-shape.ts';

describe('JSON from outside', () => {
  it.each([
    ['brackets', '['.repeat(5_000_000), /deep/],
    ['brackets that close again', `${'['.repeat(2_500_000)}${']'.repeat(2_500_000)}`, /deep/],
    ['names', `{${Array.from({ length: 300_000 }, (_, n) => `"k${n}":1`).join()}}`, /entries/],
    ['quotes with backslashes', `["${'\\"'.repeat(2_500_000)}`, /JSON/],
    ['backslashes', `["${'\\'.repeat(5_000_000)}"`, /JSON/],
  ])('is refused by its text, before parsing holds the process: 5 MB of %s [K4]', (_, text, words) => {
    const { user, system } = process.cpuUsage();
    expect(() => parseJson(text)).toThrow(words);
    const spent = process.cpuUsage({ user, system });
    expect((spent.user + spent.system) / 1_000).toBeLessThan(200);
  });

  it.each([
    ['{"mode":"ask","mode":"automatic"}', 'mode'],
    ['{"objects":{"Contact":{"deny":["Email"]},"Contact":{}}}', 'Contact'],
    ['[{"a":1,"\\u0061":2}]', 'a'],
    ['{"a":{"b":[{"b":1}]},"c":",","a":1}', 'a'],
  ])('drops nothing in silence: %s is refused by the name', (text, name) => {
    expect(() => parseJson(text)).toThrow(`names "${name}" twice in one object`);
  });

  it.each(['{"a":{"a":[{"a":"a"},"a","a"]}}', '{"a":"\\"b\\":","b":"\\\\","c":1}', '["a","a"]', '" [,{ "', '1', '{}'])(
    'is read as it is where nothing is twice: %s',
    (text) => {
      expect(parseJson(text)).toEqual(JSON.parse(text));
    },
  );

  it.each(['{"__proto__":1}', '[{"\\u005f_proto__":1}]'])('holds no __proto__: %s', (text) => {
    expect(() => parseJson(text)).toThrow('__proto__');
  });
});
