import { codeOf, type Fact, judged } from '../fact.ts';

export const records: readonly Fact[] = [
  {
    id: 'limit-info',
    assumed: '`Sforce-Limit-Info` begins with `api-usage=USED/MAX`; more may follow after a comma.',
    source: 'wire §2 [K]',
    reliesOn: ['src/salesforce/transport/health.ts', 'src/salesforce/transport/budget.ts'],
    how: 'reads the header of one answer',
    async ask({ api }) {
      const info = (await api('GET', '/limits')).headers.get('sforce-limit-info') ?? '';
      return judged(
        /^api-usage=\d+\/\d+(, ?per-app-api-usage=\d+\/\d+\(appName=[^)]+\))?$/.test(info),
        info.replace(/\d+/g, 'N'),
      );
    },
  },
  {
    id: 'empty-is-null',
    assumed: 'An empty text is stored as null.',
    source: 'wire §3 [K]',
    reliesOn: ['src/domain/stored-value'],
    how: 'creates a lead with an empty description and reads it',
    async ask(org) {
      const id = await org.create('Lead', { LastName: org.run, Company: org.run, Description: '' });
      const { json } = await org.api('GET', `/sobjects/Lead/${id}?fields=Description`);
      return judged(json?.Description === null, `reads ${JSON.stringify(json?.Description)}`);
    },
  },
  {
    id: 'dead-locator',
    assumed: 'A query locator that is no more is 400 `INVALID_QUERY_LOCATOR`.',
    source: 'wire §4 [K] (404 is claimed too)',
    reliesOn: ['src/salesforce/transport/failure-table.ts'],
    how: 'asks for the next page of a query that nobody made',
    async ask({ api }) {
      const answer = await api('GET', '/query/0r8000000000000AAA-2000');
      return judged(codeOf(answer) === '400 INVALID_QUERY_LOCATOR', codeOf(answer));
    },
  },
  {
    id: 'no-right-status',
    assumed: '`INSUFFICIENT_ACCESS_OR_READONLY` comes with 403 or 400.',
    source: 'wire §4: sources disagree',
    reliesOn: ['src/salesforce/transport/failure-table.ts'],
    how: 'needs a second user of the org who may see a record and not change it',
  },
  {
    id: 'search-two-letters',
    assumed: 'A search for one letter is refused with 400.',
    source: 'events §15 [G]',
    reliesOn: ['src/salesforce/records/search.ts'],
    how: 'searches for "G"',
    async ask({ api }) {
      const answer = await api('POST', '/parameterizedSearch', { json: { q: 'G', sobjects: [{ name: 'Lead' }] } });
      return judged(answer.status === 400, codeOf(answer));
    },
  },
  {
    id: 'search-signs',
    assumed: 'Reserved signs with a backslash before them are taken as they are.',
    source: 'events §15 [G]',
    reliesOn: ['src/salesforce/records/search.ts'],
    how: 'searches for words full of escaped signs',
    async ask({ api }) {
      const q = '\\?\\&\\|\\!\\{\\}\\[\\]\\(\\)\\^\\~\\*\\:\\\\\\"\\\'\\+\\- GHLive';
      const answer = await api('POST', '/parameterizedSearch', { json: { q, sobjects: [{ name: 'Lead' }] } });
      return judged(answer.status === 200, codeOf(answer));
    },
  },
  {
    id: 'own-permission-sets',
    assumed: 'The connected user may look at its own permission sets.',
    source: 'docs/connect.md: assumed',
    reliesOn: ['src/salesforce/records/org.ts', 'src/domain/rights.ts'],
    how: 'reads its assignments',
    async ask({ api, userId }) {
      const soql = `SELECT PermissionSet.PermissionsModifyAllData FROM PermissionSetAssignment WHERE AssigneeId = '${userId}'`;
      const answer = await api('GET', `/query?q=${encodeURIComponent(soql)}`);
      return judged(
        answer.status === 200 && answer.json.totalSize > 0,
        `${codeOf(answer)}, ${answer.json?.totalSize ?? 0} sets`,
      );
    },
  },
];
