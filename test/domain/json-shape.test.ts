import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAnswer, parseJson } from '../../src/domain/json-shape.ts';

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

describe('a whole number from outside', () => {
  const refusedWith = (text: string) => () => parseJson(text);

  it('is never rounded to another one without a word, wherever it stands [H1] [K4]', async () => {
    for (const number of [
      '9007199254740993',
      '-9007199254740993',
      '12345678901234567890',
      '9'.repeat(309),
      '9'.repeat(400),
    ])
      for (const text of [number, `[1,${number}]`, `{"a":{"id": ${number} }}`, `{"a":"x","b":[${number}]}`]) {
        expect(refusedWith(text), text).toThrow('which would be rounded');
        // What Salesforce answers has its own readers.
        await expect(parseAnswer(text)).resolves.toBeDefined();
      }
  });

  it('is read where it is kept, and so is everything that is no whole number [H1]', () => {
    fc.assert(
      fc.property(fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.maxSafeInteger()), (value) => {
        expect(parseJson(JSON.stringify({ value, list: [value] }))).toEqual(
          JSON.parse(JSON.stringify({ value, list: [value] })),
        );
      }),
    );
    for (const text of [
      '9007199254740992',
      '100000000000000000000',
      '0.10000000000000000555',
      '1e300',
      '"9007199254740993"',
    ])
      expect(parseJson(text)).toBe(JSON.parse(text));
  });

  it('takes no longer the longer it is [K4]', () => {
    // Squared, this would be hours.
    expect(refusedWith('1'.repeat(4_000_000))).toThrow('which would be rounded');
    expect(refusedWith(`0.${'1'.repeat(4_000_000)}`)).not.toThrow();
  });
});

describe('a long answer, which is parsed in pieces', () => {
  /** Longer than a piece, so that whatever holds it is put together. */
  const long = 'x'.repeat(70_000);
  const anyJson = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom<unknown>(long, long, '', '"', '\\', '\\"', ',]}', 1, -1.5e9, true, null),
      fc.array(tie('value'), { maxLength: 5 }),
      fc
        .array(fc.tuple(fc.constantFrom('a', 'b', '1', '__proto__', '"', long), tie('value')), { maxLength: 5 })
        .map((entries) => Object.fromEntries(entries)),
    ),
  })).value;

  it('is what the parser alone makes of it, names in their order and all [K4]', async () => {
    await fc.assert(
      fc.asyncProperty(anyJson, fc.constantFrom(undefined, 2), async (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(JSON.stringify(await parseAnswer(text))).toBe(JSON.stringify(JSON.parse(text)));
      }),
      { numRuns: 300 },
    );
  });

  it('is refused wherever the parser alone refuses it [K4]', async () => {
    const isJson = (text: string) => {
      try {
        JSON.parse(text);
        return true;
      } catch {
        return false;
      }
    };
    const marks = [...'[]{},:"\\ 1x'];
    await fc.assert(
      fc.asyncProperty(anyJson, fc.nat(), fc.constantFrom('', ...marks), fc.boolean(), async (value, n, mark, over) => {
        // Not inside of the long texts, where nothing is wrong.
        const parts = JSON.stringify(value).split(long);
        const at = n % parts.length;
        const part = parts[at] ?? '';
        const cut = n % (part.length + 1);
        parts[at] = part.slice(0, cut) + mark + part.slice(cut + (over ? 1 : 0));
        const text = parts.join(long);
        const read = await parseAnswer(text).then(
          () => true,
          (error) => !(error instanceof SyntaxError),
        );
        expect(read, text.replaceAll(long, 'LONG')).toBe(isJson(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes the last of two values of one name, wherever they stand [K4]', async () => {
    for (const first of ['1', `"${long}"`, `["${long}",1]`])
      for (const last of ['2', `"${long}"`, `["${long}",2]`]) {
        const text = `{"a":${first},"b":3,"a":${last}}`;
        expect(JSON.stringify(await parseAnswer(text))).toBe(JSON.stringify(JSON.parse(text)));
      }
  });
});

/** Files that parse what this installation wrote itself: rows of its database, signed tokens, its own words to itself. */
const OWN = new Map([
  ...[
    'access/create-access access/operators app/api-use audit/audit audit/verdict chat/chat chat/conversations chat/system',
    'chat/tool-answer gate/undo http/assets http/openapi http/routes/audit http/routes/proposals',
    'notices/webhook policy/replay runtime/clocks salesforce/auth/web-flow salesforce/query/run-soql',
    'salesforce/records/describes store/first-reads store/secrets/tokens store/sync/tables store/tables/declared store/tables/proposals',
    'mcp/sessions policy/never-used policy/save app/app-drift app/org-deploy app/org-deploy-shown identity/consent',
    'store/sync/bulk store/tables/roles',
  ].map((own) => [own, 'what we wrote'] as const),
  [
    'chat/demo/orders chat/demo/server chat/demo/tell cli/demo/stage cli/demo/history cli/demo/colleague',
    'the demo talks to itself',
  ],
  ['cli/commands/audit-export cli/commands/sim salesforce/soql/guard', 'of a terminal'],
  ['salesforce/jsforce', 'what we are about to send'],
  ['identity/clients', 'what we sealed ourselves'],
  ['mcp/short-lines', 'an id of 200 characters, found by its form'],
]);

it('has one way in: nothing but the shape above parses what others wrote [K4]', () => {
  const src = fileURLToPath(new URL('../../src/', import.meta.url));
  const parsing = readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file) && !/^(sim|console)\//.test(file) && file !== 'domain/json-shape.ts')
    .filter((file) => /JSON\.parse\(|\.json\(\)/.test(readFileSync(`${src}${file}`, 'utf8')))
    .map((file) => file.replace(/\.tsx?$/, ''));
  // A new file here must say whose words it parses; of others', and of what may be long, json-shape.ts reads.
  expect(parsing.sort()).toEqual([...OWN.keys()].flatMap((files) => files.split(' ')).sort());
});
