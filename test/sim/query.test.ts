import { describe, expect, it } from 'vitest';
import { sharedOrg } from './open-org.ts';

describe('SOQL on the simulated org', () => {
  const org = sharedOrg({ isReset: false });

  // biome-ignore lint/suspicious/noExplicitAny: rows of any query, compared below.
  const rows = async (soql: string): Promise<any[]> => {
    const { status, body } = await org.query(soql);
    expect(body, soql).toHaveProperty('records');
    expect(status).toBe(200);
    return body.records;
  };
  const names = async (where: string, object = 'Account'): Promise<string[]> =>
    (await rows(`SELECT Name FROM ${object} WHERE ${where} ORDER BY Name`)).map((row) => row.Name);

  it('keeps the order of the SELECT list after attributes, in the names of the describe [X5]', async () => {
    const [row] = await rows("SELECT name, ID, billingcity, Phone FROM account WHERE NAME = 'wonka foods'");
    expect(Object.keys(row)).toEqual(['attributes', 'Name', 'Id', 'BillingCity', 'Phone']);
    expect(row).toMatchObject({ attributes: { type: 'Account' }, Name: 'Wonka Foods', Phone: null });
  });

  it('nests parents, and shows null where there is none [X5]', async () => {
    const [row] = await rows(
      "SELECT Account.Owner.Name, Account.Name, Campaign.Name FROM Opportunity WHERE Reference__c = 'OPP-123'",
    );
    expect(row.Account).toMatchObject({
      attributes: { type: 'Account' },
      Owner: { attributes: { type: 'User' }, Name: 'Ada Quill' },
      Name: 'Acme Industries',
    });
    expect(row.Campaign).toBeNull();
  });

  it('lists children, and shows null where there are none [X5]', async () => {
    const found = await rows(
      "SELECT Name, (SELECT LastName FROM Contacts ORDER BY LastName LIMIT 1), (SELECT Id FROM Cases) FROM Account WHERE Name IN ('Acme Industries', 'Umber & Sons') ORDER BY Name",
    );
    expect(found[0].Contacts).toMatchObject({ totalSize: 1, done: true, records: [{ LastName: 'de Vries' }] });
    expect(found[0].Cases.totalSize).toBe(1);
    expect(found[1].Cases).toBeNull();
  });

  it('filters by AND, OR, NOT and parentheses, and refuses to guess between AND and OR [X5]', async () => {
    expect(await names("Industry = 'Energy' OR (Industry = 'Technology' AND NumberOfEmployees < 100)")).toEqual([
      'Initech Software',
      'Stark Energy Cooperative',
    ]);
    expect(await names("NOT (Industry IN ('Energy', 'Technology', 'Shipping') OR Name LIKE 'north%')")).toEqual([
      'Acme Industries',
      'Umber & Sons',
      'Wonka Foods',
    ]);
    expect(await names("NOT Name LIKE '%o%' AND BillingCountry != null")).toEqual(
      ['Acme Industries', 'Umber & Sons'].filter((name) => !name.includes('o')),
    );
    const mixed = await org.query("SELECT Id FROM Account WHERE Name = 'a' AND Name = 'b' OR Name = 'c'");
    expect(mixed.body[0]).toMatchObject({
      errorCode: 'MALFORMED_QUERY',
      message: expect.stringContaining('unexpected token: OR'),
    });
  });

  it('takes no longer for a pattern of many wildcards than for its letters [K4]', async () => {
    // An expression with backtracking would look at it for years, and the embedded org shares our process.
    const { body } = await org.api('POST', '/sobjects/Account', { Name: 'a'.repeat(250) });
    expect(await names(`Name LIKE '${'%a'.repeat(30)}%z' OR Name LIKE '${'%_'.repeat(30)}%z'`)).toEqual([]);
    expect(await names(`Name LIKE '${'%a'.repeat(200)}'`)).toEqual(['a'.repeat(250)]);
    await org.api('DELETE', `/sobjects/Account/${body.id}`);
  });

  it('compares text without case, LIKE with wildcards and escapes, nulls and lists [X5]', async () => {
    expect(await names("Name LIKE '_cme%'")).toEqual(['Acme Industries']);
    expect(await names("Name LIKE '%\\\\%%'")).toEqual([]);
    // What is escaped stands for itself: Gatehouse sends the words of a caller so.
    expect(await names("Name LIKE '\\%'")).toEqual([]);
    expect(await names("Name LIKE 'Acme\\%'")).toEqual([]);
    expect(await names("Name LIKE 'Acme_Industries'")).toEqual(['Acme Industries']);
    expect(await names("Name LIKE 'Acme\\_Industries'")).toEqual([]);
    expect(await names('AnnualRevenue = null AND Rating != null')).toEqual(['Wonka Foods']);
    expect(await names("BillingCity NOT IN ('Oslo', 'LYON') AND Industry LIKE 'F%'")).toEqual(['Wonka Foods']);
    expect(await names("LastName = 'O\\'Neill'", 'Lead')).toEqual(["Sean O'Neill"]);
  });

  it('reads keywords in any case [X5]', async () => {
    const found = await rows(
      "select name from account where not name like 'a%' and name like '%foods' order by name desc nulls last",
    );
    expect(found.map((row) => row.Name)).toEqual(['Wonka Foods']);
    expect(await names("Name <> 'Acme Industries' AND Industry = 'manufacturing'")).toEqual([]);
  });

  it('runs semi-joins and anti-joins [X5]', async () => {
    expect(await names("Id IN (SELECT AccountId FROM Opportunity WHERE StageName = 'Closed Lost')")).toEqual([
      'Wonka Foods',
    ]);
    expect(await names("Id NOT IN (SELECT AccountId FROM Contact WHERE LastName != 'x') AND Name LIKE '%'")).toEqual(
      [],
    );
  });

  it('counts without rows, groups, sums and filters groups [X5]', async () => {
    expect((await org.query('SELECT COUNT() FROM Lead')).body).toEqual({ totalSize: 6, done: true, records: [] });
    const [whole] = await rows(
      'SELECT COUNT(Id), SUM(Amount) total, MIN(CloseDate), AVG(Probability) FROM Opportunity WHERE IsWon = true',
    );
    expect(Object.keys(whole)).toEqual(['attributes', 'expr0', 'total', 'expr1', 'expr2']);
    expect(whole).toMatchObject({ attributes: { type: 'AggregateResult' }, expr0: 5, total: 228700, expr2: 100 });
    const groups = await rows(
      'SELECT Account.Name, COUNT(Id) n FROM Contact GROUP BY Account.Name HAVING COUNT(Id) > 1 ORDER BY COUNT(Id) DESC, Account.Name LIMIT 2',
    );
    expect(groups.map((group) => [group.Name, group.n])).toEqual([
      ['Northwind Traders', 3],
      ['Acme Industries', 2],
    ]);
    const rollup = await rows('SELECT Industry, COUNT(Id) n FROM Account GROUP BY ROLLUP(Industry)');
    expect(rollup.at(-1)).toMatchObject({ Industry: null, n: 8 });
    expect((await org.query('SELECT Name, COUNT(Id) FROM Account')).body[0]).toMatchObject({
      errorCode: 'MALFORMED_QUERY',
      message: expect.stringContaining('Field must be grouped or aggregated: Name'),
    });
  });

  it('sorts by several keys, nulls first unless told otherwise, picklists in their own order [X5]', async () => {
    const stages = (await rows('SELECT StageName FROM Opportunity WHERE IsClosed = false ORDER BY StageName')).map(
      (row) => row.StageName,
    );
    expect([stages[0], stages.at(-1)]).toEqual(['Prospecting', 'Negotiation/Review']);
    const amounts = async (order: string) =>
      (await rows(`SELECT Amount FROM Opportunity ORDER BY Amount ${order}`)).map((row) => row.Amount);
    expect((await amounts('DESC'))[0]).toBeNull();
    expect((await amounts('DESC NULLS LAST'))[0]).toBe(240_000);
    expect((await amounts('ASC NULLS LAST')).at(-1)).toBeNull();
    expect((await rows('SELECT Name FROM Account ORDER BY Name LIMIT 2 OFFSET 1')).map((row) => row.Name)).toEqual([
      'Globex Shipping',
      'Initech Software',
    ]);
  });

  it('follows polymorphic parents, TYPEOF, FIELDS, functions of dates and labels [X5]', async () => {
    const [task] = await rows(
      "SELECT TYPEOF What WHEN Opportunity THEN Amount, StageName WHEN Account THEN Industry ELSE Name END, Who.Name, Who.Type FROM Task WHERE Subject = 'Call'",
    );
    expect(task).toMatchObject({
      What: { attributes: { type: 'Opportunity' }, Amount: 85000 },
      Who: { attributes: { type: 'Contact' }, Name: 'Rosa Gonzalez', Type: 'Contact' },
    });
    expect(Object.keys((await rows('SELECT FIELDS(CUSTOM) FROM Contact LIMIT 1'))[0])).toEqual([
      'attributes',
      'Preferred_Channel__c',
      'TimeZone__c',
      'Gatehouse_Id__c',
    ]);
    expect((await org.query('SELECT FIELDS(ALL) FROM Contact')).body[0].message).toContain(
      'must have a LIMIT of at most 200',
    );
    expect(
      (await rows("SELECT toLabel(Preferred_Channel__c) FROM Contact WHERE Preferred_Channel__c = 'email'"))[0]
        .Preferred_Channel__c,
    ).toBe('Email');
    expect((await rows('SELECT COUNT(Id) n FROM Opportunity WHERE CALENDAR_YEAR(CloseDate) > 2000'))[0].n).toBe(15);
  });

  it('sees deleted rows through queryAll only [X5]', async () => {
    const made = await org.api('POST', '/sobjects/Account', { Name: 'Soon gone' });
    await org.api('DELETE', `/sobjects/Account/${made.body.id}`);
    const soql = encodeURIComponent("SELECT COUNT() FROM Account WHERE Name = 'Soon gone'");
    expect((await org.api('GET', `/query?q=${soql}`)).body.totalSize).toBe(0);
    expect((await org.api('GET', `/queryAll?q=${soql}`)).body.totalSize).toBe(1);
  });

  const refusals: [string, string, string][] = [
    [
      'SELECT Foo FROM Account',
      'INVALID_FIELD',
      "\nSELECT Foo FROM Account\n       ^\nERROR at Row:1:Column:8\nNo such column 'Foo' on entity 'Account'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name.",
    ],
    [
      'SELECT Id FROM Zork',
      'INVALID_TYPE',
      "\nSELECT Id FROM Zork\n               ^\nERROR at Row:1:Column:16\nsObject type 'Zork' is not supported.",
    ],
    ["SELECT Id FROM Account WHERE Id = 'abc'", 'INVALID_QUERY_FILTER_OPERATOR', 'invalid ID field: abc'],
    ['SELECT Id FROM Account WHERE', 'MALFORMED_QUERY', 'ERROR at Row:1:Column:29\nunexpected token'],
    ['SELECT Id,\nFoo FROM Account', 'INVALID_FIELD', 'ERROR at Row:2:Column:1\n'],
    [
      "SELECT Id FROM Account WHERE NumberOfEmployees = '1'",
      'INVALID_FIELD',
      "value of filter criterion for field 'NumberOfEmployees' must be of type int and should not be enclosed in quotes",
    ],
    [
      'SELECT Id FROM Account WHERE Name = 1',
      'INVALID_FIELD',
      "value of filter criterion for field 'Name' must be of type string and should be enclosed in quotes",
    ],
    ['SELECT Id FROM Opportunity WHERE CloseDate = 2026-01-01T00:00:00Z', 'INVALID_FIELD', 'must be of type date'],
    ["SELECT Id FROM Account WHERE Owner.Foo = '1'", 'INVALID_FIELD', "No such column 'Foo' on entity 'User'"],
    [
      "SELECT Id FROM Account WHERE Nope.Name = '1'",
      'INVALID_FIELD',
      "Didn't understand relationship 'Nope' in field path",
    ],
    [
      'SELECT Id, (SELECT Id FROM Nopes) FROM Account',
      'INVALID_TYPE',
      "Didn't understand relationship 'Nopes' in FROM part of query call",
    ],
    ['DELETE FROM Account', 'MALFORMED_QUERY', "unexpected token: 'DELETE'"],
    ['SELECT Name n FROM Account', 'MALFORMED_QUERY', 'only aggregate expressions use field aliasing'],
    ["SELECT Id FROM Account WHERE Description LIKE 'a%'", 'INVALID_FIELD', 'can not be filtered'],
  ];
  it.each(refusals)('refuses %j with %s [X5]', async (soql, errorCode, message) => {
    const { status, body } = await org.query(soql);
    expect(status).toBe(400);
    expect(body).toEqual([{ message: expect.stringContaining(message), errorCode }]);
  });

  it('pages with at most 2,000 rows, 1,000 with a long text, and refuses a strange locator [X5]', async () => {
    await org.sim('POST', '/reset');
    for (let part = 0; part < 11; part++) {
      const records = Array.from({ length: 200 }, (_, n) => ({
        attributes: { type: 'Account' },
        Name: `P${part}-${n}`,
      }));
      await org.api('POST', '/composite/sobjects', { records });
    }
    const all = (await org.query('SELECT Name FROM Account')).body;
    expect([all.totalSize, all.done, all.records.length, Object.keys(all)[2]]).toEqual([
      2208,
      false,
      2000,
      'nextRecordsUrl',
    ]);
    const last = (await org.api('GET', all.nextRecordsUrl)).body;
    expect([last.totalSize, last.done, last.records.length]).toEqual([2208, true, 208]);
    expect(last).not.toHaveProperty('nextRecordsUrl');
    expect((await org.query('SELECT Name, Description FROM Account')).body.records.length).toBe(1000);
    const strange = await org.api('GET', '/query/0r85i000000ZZZZAAA-2000');
    expect([strange.status, strange.body[0].errorCode]).toEqual([400, 'INVALID_QUERY_LOCATOR']);
    await org.sim('POST', '/reset');
  });

  it('refuses a URL that is too long, and takes the same query inside a composite [X5]', async () => {
    const soql = `SELECT Id FROM Contact WHERE Email IN (${Array.from({ length: 600 }, (_, n) => `'someone.${n}@somewhere.example'`).join()})`;
    expect((await org.query(soql)).status).toBe(414);
    const url = `/services/data/v66.0/query?q=${encodeURIComponent(soql)}`;
    const answer = await org.api('POST', '/composite', {
      compositeRequest: [{ method: 'GET', url, referenceId: 'q' }],
    });
    expect(answer.body.compositeResponse[0].httpStatusCode).toBe(200);
  });

  it('explains a plan and finds by words [X5]', async () => {
    const plan = await org.api(
      'GET',
      `/query?explain=${encodeURIComponent("SELECT Id FROM Contact WHERE Email = 'x@y.example'")}`,
    );
    expect(plan.body.plans[0]).toMatchObject({ leadingOperationType: 'Index', sobjectType: 'Contact', cardinality: 0 });
    const found = await org.api('GET', `/parameterizedSearch?q=gonzalez&sobject=Contact`);
    expect(found.body.searchRecords).toHaveLength(1);
    const sosl = await org.api(
      'GET',
      `/search?q=${encodeURIComponent('FIND {northwind} IN NAME FIELDS RETURNING Account(Id, Name), Lead')}`,
    );
    expect(sosl.body.searchRecords).toHaveLength(2);
    expect(sosl.body.searchRecords[0]).toMatchObject({ attributes: { type: 'Account' }, Name: expect.any(String) });
  });

  it.each([
    ['FIND {rosa OR northwind} RETURNING Contact(Id, LastName), Account(Id)', ['Contact', 'Account']],
    ['FIND {rosa AND northwind} RETURNING Contact(Id), Account(Id)', []],
    ['FIND {"rosa or northwind"} RETURNING Contact(Id), Account(Id)', []],
    ['FIND {gonz*} IN NAME FIELDS RETURNING Contact(Id LIMIT 1)', ['Contact']],
    ['FIND {"gonz\\*"} IN NAME FIELDS RETURNING Contact(Id)', []],
    ['FIND {x\\} y} RETURNING Contact(Id)', []],
  ])('reads %s as Salesforce does [X5]', async (sosl, types) => {
    const { body } = await org.api('GET', `/search?q=${encodeURIComponent(sosl)}`);
    const found = body.searchRecords.map(({ attributes }: { attributes: { type: string } }) => attributes.type);
    expect([...new Set(found)]).toEqual(types);
  });

  it.each([
    'FIND {x} y} RETURNING Contact(Id)',
    'FIND {a(b} RETURNING Contact(Id)',
    'FIND {xy} RETURNING Contact(Id',
    'xy',
  ])('refuses the search %s [X5]', async (sosl) => {
    const answer = await org.api('GET', `/search?q=${encodeURIComponent(sosl)}`);
    expect([answer.status, answer.body[0].errorCode]).toEqual([400, 'MALFORMED_SEARCH']);
  });
});
