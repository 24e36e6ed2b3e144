import { describe, expect, it } from 'vitest';
import { refusal, underSyntax } from './fixtures.ts';

// One test for each thing that a parser on npm was measured to get wrong.

const nested = (open: string, close: string, times: number, inside: string) =>
  open.repeat(times) + inside + close.repeat(times);

describe('documented SOQL that @jetstreamapp/soql-parser-js 6.3.1 refuses', () => {
  it.each([
    ['alias joins', 'SELECT COUNT() FROM Contact c, c.Account a'],
    ['date functions inside ROLLUP', 'SELECT COUNT(Id) FROM Case GROUP BY ROLLUP(CALENDAR_YEAR(CreatedDate), Status)'],
    ['date functions inside CUBE', 'SELECT COUNT(Id) FROM Case GROUP BY CUBE(CALENDAR_YEAR(CreatedDate), Status)'],
    ['GROUPING() with DESC', 'SELECT GROUPING(Type) g FROM Account GROUP BY CUBE(Type) ORDER BY GROUPING(Type) DESC'],
    ['an alias with AS before USING SCOPE', 'SELECT Id FROM Account AS a USING SCOPE mine'],
    ['the scope mine_and_my_groups', 'SELECT Id FROM ProcessInstanceWorkitem USING SCOPE mine_and_my_groups'],
    ['ten nested parentheses', `SELECT Id FROM Account WHERE ${nested('(', ')', 10, "Name = 'a'")}`],
  ])('reads %s [Q1]', (_, q) => {
    expect(underSyntax(q)).toMatchObject({ ok: true });
  });

  it.each([
    ['WITH UserId', "SELECT Id FROM Account WITH UserId = '005000000000001'"],
    [
      'WITH RecordVisibilityContext',
      'SELECT Id FROM Account WITH RecordVisibilityContext (maxDescriptorPerRecord=100)',
    ],
    ['FORMULA()', "SELECT Id FROM Account WHERE FORMULA('A__c - B__c') > 1"],
  ])('refuses %s on purpose [Q1]', (_, q) => {
    expect(underSyntax(q).ok).toBe(false);
  });
});

describe('what soql-parser-js takes and is no SOQL', () => {
  it.each([
    ['WHERE that begins with OR', 'SELECT Id FROM Account WHERE OR a = 1'],
    ['two conditions with no AND', 'SELECT Id FROM Account WHERE A = 1 B = 2'],
    ['a no-break space', 'SELECT\u00a0Id FROM Account'],
    ['an em space', 'SELECT Id\u2003FROM Account'],
    ['a byte order mark', '\ufeffSELECT Id FROM Account'],
    ['a vertical tab', 'SELECT Id\u000bFROM Account'],
    ['U+2028', 'SELECT Id FROM Account\u2028LIMIT 1'],
    ['LIMIT 10^23', 'SELECT Id FROM Account LIMIT 100000000000000000000000'],
    ['LIMIT 1e+23', 'SELECT Id FROM Account LIMIT 1e+23'],
    ['an unterminated text, as 8.0.0 does', "SELECT Id FROM Account WHERE name='bob"],
  ])('refuses %s [Q1]', (_, q) => {
    expect(underSyntax(q).ok).toBe(false);
  });
});

describe('what overflows or stalls other parsers', () => {
  it.each([
    ['20 KB of escapes in an unterminated text', `SELECT Id FROM Account WHERE Name = '${"\\'".repeat(9_900)}`],
    ['800 nested sub-queries', `SELECT ${nested('(SELECT Id, ', ' FROM X)', 800, 'Id')} FROM Account`],
    ['2,000 nested functions', `SELECT ${nested('FORMAT(', ')', 2_000, 'Name')} FROM Account`],
    [
      '300 nested semi-joins',
      `SELECT Id FROM Account WHERE ${nested('Id IN (SELECT A FROM B WHERE ', ')', 300, 'Id = null')}`,
    ],
    ['5,000 nested parentheses', `SELECT Id FROM Account WHERE ${nested('(', ')', 5_000, "Name = 'a'")}`],
  ])('is refused calmly: %s [Q4]', (_, q) => {
    expect(refusal(underSyntax(q)).code).toMatch(
      /^(too_deep|too_many_sub_queries|unterminated_string|string_too_long|too_long)$/,
    );
  });
});

describe('what soql-common drops in silence', () => {
  it.each([
    ['a semicolon', 'SELECT Id FROM Account;'],
    ['brackets', 'SELECT [Id] FROM [User]'],
    ['a zero-width space in a name', 'SELECT Id FROM U\u200bser'],
    ['full-width letters', 'SELECT Id FROM \uff35\uff53\uff45\uff52'],
    ['back-ticks', 'SELECT `Id` FROM `User`'],
    ['NUL', 'SELECT Id FROM User\u0000'],
    ['LIMIT -1', 'SELECT Id FROM Account LIMIT -1'],
  ])('refuses %s [Q1]', (_, q) => {
    expect(underSyntax(q).ok).toBe(false);
  });
});

describe('what apex-parser lets by', () => {
  it.each([
    ['a second statement', 'SELECT Id FROM Account; DELETE x'],
    ['WHERE as an alias', 'SELECT Id FROM Account WHERE'],
    ['LIMIT as an alias', 'SELECT Id FROM Account LIMIT'],
    ['OFFSET as an alias', 'SELECT Id FROM Account OFFSET'],
    ['a bind', 'SELECT Id FROM Account WHERE Id = :id'],
    ['a comment', 'SELECT Id FROM Account /* hi */'],
    ['ALL ROWS', 'SELECT Id FROM Account ALL ROWS'],
  ])('refuses %s [Q1]', (_, q) => {
    expect(underSyntax(q).ok).toBe(false);
  });
});
