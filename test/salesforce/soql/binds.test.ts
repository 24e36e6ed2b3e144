import { describe, expect, it } from 'vitest';
import { GatehouseError } from '../../../src/domain/errors.ts';
import { type Bound, bindSoql } from '../../../src/salesforce/soql/binds.ts';
import { parseSoql } from '../../../src/salesforce/soql/parse.ts';
import { SoqlRefusal } from '../../../src/salesforce/soql/refusal.ts';

const text = (value: string, name = 'name'): Bound => ({ name, type: 'text', value });
const refusalOf = (template: string, values: readonly Bound[]) => {
  try {
    return bindSoql(template, values);
  } catch (error) {
    if (error instanceof SoqlRefusal) return error.code;
    if (error instanceof GatehouseError) return error.code;
    throw error;
  }
};

describe('values in a fixed query', () => {
  it('puts each in its own place, by its type [A5]', () => {
    const template =
      "SELECT Id FROM Case WHERE Subject = :name AND Amount__c > :least AND IsClosed = :closed AND X__c IN (:name, ':name') AND D__c = :day AND T__c < :moment LIMIT 5";
    const values: Bound[] = [
      text("O'Brien"),
      { name: 'least', type: 'number', value: -1e21 },
      { name: 'closed', type: 'boolean', value: true },
      { name: 'day', type: 'date', value: '2026-01-31' },
      { name: 'moment', type: 'datetime', value: '2026-01-31T10:00:00+02:00' },
    ];
    expect(bindSoql(template, values)).toBe(
      "SELECT Id FROM Case WHERE Subject = 'O\\'Brien' AND Amount__c > -1000000000000000000000 AND IsClosed = TRUE AND X__c IN ('O\\'Brien', ':name') AND D__c = 2026-01-31 AND T__c < 2026-01-31T08:00:00.000Z LIMIT 5",
    );
  });

  it('takes the wildcards of LIKE for text [A5]', () => {
    expect(bindSoql('SELECT Id FROM Lead WHERE Company LIKE :name', [text('50%_off')])).toBe(
      "SELECT Id FROM Lead WHERE Company LIKE '50\\%\\_off'",
    );
  });

  it.each([
    ['a field', 'SELECT :name FROM Lead'],
    ['an object', 'SELECT Id FROM :name'],
    ['a filtered field', 'SELECT Id FROM Lead WHERE :name = 1'],
    ['a direction', 'SELECT Id FROM Lead ORDER BY Name :name'],
    ['a count', 'SELECT Id FROM Lead LIMIT :name'],
    ['a number of days', 'SELECT Id FROM Lead WHERE CreatedDate = LAST_N_DAYS:name'],
    ['a whole condition', 'SELECT Id FROM Lead WHERE :name'],
  ])('refuses a value for %s [A5]', (_, template) => {
    expect(refusalOf(template, [text('x')])).toMatch(/^[a-z_]+$/);
    expect(refusalOf(template, [{ name: 'name', type: 'number', value: 1 }])).toMatch(/^[a-z_]+$/);
  });

  it('refuses a name without a value, and a value of another type [A5]', () => {
    expect(refusalOf('SELECT Id FROM Lead WHERE Name = :other', [text('x')])).toBe('bind');
    const wrong = { name: 'name', type: 'number', value: '1 OR Name != null' } as const;
    expect(refusalOf('SELECT Id FROM Lead WHERE A__c = :name', [wrong])).toBe('invalid_input');
    expect(refusalOf('SELECT Id FROM Lead WHERE A__c = :name', [{ ...wrong, type: 'date' }])).toBe('invalid_input');
    expect(refusalOf('SELECT Id FROM Lead WHERE A__c = :name', [{ ...wrong, type: 'boolean' }])).toBe('invalid_input');
  });

  it('asks the same question whatever the value is made of [A5]', () => {
    const parts = [...'\'"\\%_:()/*-# \n\r\t\b\f\u0000\u2028é😀x1', ...HOSTILE];
    const random = seeded(7);
    let sent = 0;
    for (let round = 0; round < 4_000; round += 1) {
      const value = Array.from({ length: random(12) }, () => parts[random(parts.length)]).join('');
      const template = TEMPLATES[round % TEMPLATES.length]!;
      const bound = refusalOf(template, [text(value)]);
      // Refused is safe; what is sent must have the shape of the template, with this very value in it.
      if (!bound.startsWith('SELECT')) continue;
      sent += 1;
      expect(shapeOf(bound), JSON.stringify(value)).toBe(shapeOf(template.replaceAll(':name', "'x'")));
    }
    expect(sent).toBeGreaterThan(1_000);
  });
});

const HOSTILE = [
  "' OR Name != '",
  "x' LIMIT 50000 --",
  "\\' OR Id != null",
  "') OR (Name LIKE '%",
  ' FROM User',
  ':name',
  '\\',
  '\\u0027',
];
const TEMPLATES = [
  'SELECT Id FROM Lead WHERE Name = :name LIMIT 5',
  "SELECT Id FROM Lead WHERE (Name = :name OR Company LIKE :name) AND Status IN ('Open', :name) ORDER BY Name LIMIT 2",
  'SELECT Id, (SELECT Id FROM Contacts WHERE LastName = :name) FROM Account WHERE Id IN (SELECT AccountId FROM Contact WHERE Email != :name)',
];

/** The tree without where things stand and what the texts say. */
function shapeOf(soql: string): string {
  return JSON.stringify(parseSoql(soql).query, (key, value: unknown) =>
    ['at', 'end', 'limitAt', 'whereAt', 'whereEnd', 'text'].includes(key) ? undefined : value,
  );
}

function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
}
