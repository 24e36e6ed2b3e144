/** Texts made to cost a reader dear, each a little shorter than `length`. */
export function hostileTexts(length: number): string[] {
  const fill = (part: string, share = 1) => part.repeat(Math.floor(((length - 200) * share) / part.length));
  const where = 'SELECT Id FROM Account WHERE ';
  return [
    `${where}Name = '${fill("\\'")}`,
    `${where}Name = '${fill('\\\\')}'`,
    `${where}Name = '${fill('\u202e')}'`,
    `${where}${fill('(', 0.5)}Name = 'a'${fill(')', 0.5)}`,
    `${where}${'('.repeat(30)}${fill("Name = 'a' AND ")}Name = 'b'${')'.repeat(30)}`,
    `${where}Name IN (${fill('LAST_N_DAYS:9,', 0.6)}TODAY)`,
    `SELECT Id FROM Account WHERE ${fill('(Name = null) OR ')}Id = null`,
    `${where}${fill('NOT ')}Name = 'a'`,
    `${where}${fill("Name = 'a' AND ")}Name = 'b'`,
    `${where}${fill('Id IN (SELECT AccountId FROM Contact WHERE ')}Id = null`,
    `${where}Name IN (${fill("'a',")}'b')`,
    `${where}CreatedDate > ${fill('2026-01-01T')}`,
    `${where}Amount > ${fill('1.')}`,
    `${where}Amount > ${fill('9')}`,
    `SELECT ${fill('(SELECT Id, ')}Id FROM Account`,
    `SELECT ${fill('FORMAT(')}Name FROM Account`,
    `SELECT ${fill('Owner.')}Name FROM Account`,
    `SELECT ${fill('Name, ')}Id FROM Account`,
    `SELECT ${fill('A')} FROM Account`,
    `SELECT Id FROM Contact c, ${fill('c.Account a, ')}c.Owner o`,
    `SELECT ${fill('TYPEOF What WHEN Account THEN Id END, ')}Id FROM Task`,
    `SELECT Id FROM Account${fill(' ')}`,
    `SELECT Id FROM Account ORDER BY ${fill('Name DESC NULLS LAST, ')}Id`,
    fill('SELECT '),
    fill('\u0000'),
    fill("'"),
    fill('-'),
    fill(' '),
  ];
}
