import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { prefixesOf, toId18 } from '../../src/domain/salesforce-id.ts';

describe('Salesforce ids', () => {
  it('makes 18 characters of 15 and keeps 18 that are right [A3]', () => {
    expect(toId18('001D000000K0fXO')).toEqual({ id: '001D000000K0fXOIAZ' });
    expect(toId18(' 001D000000K0fXOIAZ ')).toEqual({ id: '001D000000K0fXOIAZ' });
  });

  it.each(['001D000000K0fXOIAY', '001d000000K0fXOIAZ', '001D000000K0FXOIAZ', '001D000000K0fXOiaz'])(
    'refuses %s: its check characters are wrong [A3]',
    (id) => expect(toId18(id)).toEqual({ problem: expect.stringContaining('check characters') }),
  );

  it.each(['', '001', '001D000000K0fX!', '001D000000K0fXOI', '001D000000K0fXO\u200b', 'a'.repeat(40_000)])(
    'refuses what is no id [A3]',
    (id) => expect(toId18(id)).toHaveProperty('problem'),
  );

  it('refuses the id of another kind of record [A3]', () => {
    expect(toId18('001D000000K0fXO', ['006'])).toEqual({ problem: expect.stringContaining('006') });
    expect(toId18('001D000000K0fXO', prefixesOf('account'))).toHaveProperty('id');
    expect(prefixesOf('Invoice__c')).toBeUndefined();
    expect(prefixesOf('constructor')).toBeUndefined();
  });

  it('notices every single changed letter case of an 18-character id [A3]', () => {
    const letters = fc.array(fc.constantFrom(...'ABCDEFabcdef0123'), { minLength: 15, maxLength: 15 });
    fc.assert(
      fc.property(letters, fc.nat(14), (characters, at) => {
        const verdict = toId18(characters.join(''));
        const id = 'id' in verdict ? verdict.id : '';
        const letter = id.charAt(at);
        const flipped = letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase();
        fc.pre(flipped !== letter);
        expect(toId18(id.slice(0, at) + flipped + id.slice(at + 1))).toHaveProperty('problem');
      }),
    );
  });
});
