import { describe, expect, it } from 'vitest';
import { readXml, XmlProblem } from '../../../src/sync/inbound/xml.ts';

const times = (n: number, part: string | ((n: number) => string)) =>
  Array.from({ length: n }, (_, i) => (typeof part === 'string' ? part : part(i))).join('');

/** Documents of about `n` characters, each made to make some step of the reader take long. */
const HOSTILE: Readonly<Record<string, (n: number) => string>> = {
  'declarations on nested elements, then many children': (n) =>
    `${times(16, (i) => `<a${times(3, (j) => ` xmlns:p${i}x${j}="u"`)}>`)}${times(n / 4, '<b/>')}${times(16, '</a>')}`,
  'a declaration in every element': (n) => `<r>${times(n / 20, '<a xmlns:p="u" p:b="1"/>')}</r>`,
  'more prefixes than there may be': (n) => `<r>${times(n / 20, (i) => `<a xmlns:p${i}="u"/>`)}</r>`,
  'many declarations in one tag': (n) => `<r${times(n / 14, (i) => ` xmlns:p${i}="u"`)}/>`,
  'many attributes': (n) => `<r>${times(n / 400, `<a${times(45, (i) => ` b${i}="c"`)}/>`)}</r>`,
  'attributes that end wrong': (n) => `<r>${times(n / 500, `<a${times(45, (i) => ` b${i}="c"`)} x></a>`)}`,
  'a tag that never ends': (n) => `<a ${times(n / 2, 'b ')}`,
  'blanks in a tag': (n) => `<r>${times(n / 8_000, `<a${' '.repeat(8_000)}/>`)}</r>`,
  'blanks in a closing tag': (n) => `<r>${times(n / 8_000, `<a></a${' '.repeat(8_000)}>`)}</r>`,
  'open tags': (n) => times(n / 3, '<a>'),
  elements: (n) => `<r>${times(n / 4, '<a/>')}</r>`,
  'text in small pieces': (n) => `<r>${times(n / 9, 'x<!--y-->')}</r>`,
  'text in CDATA': (n) => `<r>${times(n / 14, '<![CDATA[xy]]>')}</r>`,
  entities: (n) => `<r>${times(n / 5, '&amp;')}</r>`,
  ampersands: (n) => `<r>${times(n, '&')}</r>`,
  'comments that never end': (n) => times(n / 4, '<!--'),
  'CDATA that never ends': (n) => `<r>${times(n / 9, '<![CDATA[')}`,
  'one long value': (n) => `<a b="${'x'.repeat(n)}"/>`,
  'blanks before the root': (n) => `${' '.repeat(n)}<a/>`,
  'quotes that never close': (n) => `<r>${times(n / 6, `<a b='`)}`,
};

describe('the XML reader', () => {
  it.each(Object.entries(HOSTILE))('takes time as long as the document and no longer: %s [K4]', async (_, make) => {
    const small = await cost(make(60_000));
    const large = await cost(make(480_000));
    // Eight times the size; a square would be 64 times the time. What is too short to be measured is no matter.
    expect(large / Math.max(small, 2)).toBeLessThan(24);
  });

  it('knows five entities and no member of Object, and gives prefixes the meaning they have where they stand [K4]', async () => {
    for (const name of ['toString', 'constructor', 'valueOf', '__proto__', 'lt2', ''])
      await expect(readXml(`<a>&${name};</a>`), name).rejects.toThrow(XmlProblem);
    for (const name of ['constructor', 'toString', '__proto__'])
      await expect(readXml(`<${name}:a/>`), name).rejects.toThrow(XmlProblem);
    const [first, second, third] = (
      await readXml(
        '<r xmlns:p="one"><p:a/><b xmlns:p="two"><p:a/></b><p:a xmlns="d" __proto__="x" constructor="y"/></r>',
      )
    ).children;
    expect([first?.namespace, second?.children[0]?.namespace, third?.namespace]).toEqual(['one', 'two', 'one']);
    expect([...(third?.attributes ?? [])]).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
    await expect(readXml('<r><a xmlns:p="u"/><p:a/></r>')).rejects.toThrow(XmlProblem);
    // A prefix of its own in each of a hundred records, as Salesforce writes them.
    expect((await readXml(`<r>${times(100, '<sf:a xmlns:sf="u"/>')}</r>`)).children).toHaveLength(100);
  });
});

/** Processor time of the best of three, ms: what others do on the machine counts least there. */
async function cost(body: string): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let n = 0; n < 3; n++) {
    const before = process.cpuUsage();
    try {
      await readXml(body);
    } catch (error) {
      if (!(error instanceof XmlProblem)) throw error;
    }
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / 1_000);
  }
  return best;
}
