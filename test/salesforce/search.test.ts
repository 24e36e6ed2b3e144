import { describe, expect, it } from 'vitest';
import { GatehouseError } from '../../src/domain/errors.ts';
import { toSosl } from '../../src/salesforce/records/search.ts';
import { parseSosl } from '../../src/sim/query/sosl.ts';

const places = [{ object: 'Contact', fields: ['LastName'], limit: 5 }];
const sosl = (text: string) => toSosl({ text, scope: 'name', places });

describe('the words of a search', () => {
  it('are quoted one by one [B6]', () => {
    expect(sosl(' rosa  gonzález ')).toBe(
      'FIND {"rosa" "gonzález"} IN NAME FIELDS RETURNING Contact(Id, LastName LIMIT 5)',
    );
    expect(sosl('x} RETURNING User(Id)')).toBe(
      'FIND {"x\\}" "RETURNING" "User\\(Id\\)"} IN NAME FIELDS RETURNING Contact(Id, LastName LIMIT 5)',
    );
  });

  it.each([
    ['one letter', 'a'],
    ['no letter', '** ??'],
    ['a control', 'ab\u0000'],
    ['half a character', 'ab\ud800'],
    ['too many', 'a'.repeat(201)],
  ])('are refused with %s [B6]', (_, text) => {
    expect(() => sosl(text)).toThrow(GatehouseError);
  });

  it.each(['Contact)', 'Contact, User', 'Contact(Id)', ''])('are never looked for in %s [B6]', (object) => {
    expect(() => toSosl({ text: 'rosa', scope: 'name', places: [{ object, fields: [], limit: 1 }] })).toThrow();
  });

  it('stay words and never change what is asked, whatever they are made of, as another reader of SOSL reads it [B6]', () => {
    const parts = [
      'a',
      'rosa',
      'OR',
      'AND',
      'NOT',
      ' ',
      '"',
      '\\',
      '}',
      '{',
      '(',
      ')',
      '*',
      '?',
      "'",
      '-',
      '+',
      ':',
      '^',
      '~',
      '&',
      '|',
      '!',
      '[',
      ']',
      '\n',
      'é',
      '}RETURNING User(Id)',
      ' LIMIT 1',
      '\\"',
      '" OR "',
    ];
    let state = 7;
    const random = (below: number) => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      return Math.floor((state / 2 ** 31) * below);
    };
    let sent = 0;
    for (let round = 0; round < 5_000; round += 1) {
      const text = Array.from({ length: 1 + random(6) }, () => parts[random(parts.length)]).join('');
      let made: string;
      try {
        made = sosl(text);
      } catch (error) {
        expect(error).toBeInstanceOf(GatehouseError);
        continue;
      }
      sent += 1;
      const read = parseSosl(made);
      expect(read).toMatchObject({
        scope: 'NAME',
        returning: [{ object: 'Contact', fields: ['Id', 'LastName'], limit: 5 }],
      });
      const words = text.split(/\s+/u).filter(Boolean);
      // No OR among them: one list, each word of which matches itself.
      expect(read.text).toHaveLength(1);
      expect(read.text[0]?.map((pattern, at) => pattern.exec(words[at] ?? '')?.[0])).toEqual(words);
    }
    expect(sent).toBeGreaterThan(1_000);
  });
});
