import { zipOf } from '../../../src/salesforce/metadata/zip.ts';
import { codeOf, type Fact, judged, notAsked } from '../fact.ts';
import type { LiveOrg } from '../org.ts';

const NAMESPACE = 'xmlns="http://soap.sforce.com/2006/04/metadata"';
export const setName = ({ run }: Pick<LiveOrg, 'run'>): string => run.replace(/[^A-Za-z0-9]+/g, '_');

/** A permission set of this run, with what stands in it. */
function packed(org: LiveOrg, inner: string): Buffer {
  const name = setName(org);
  const version = org.settings.version.replace('v', '');
  const types = `<types><members>${name}</members><name>PermissionSet</name></types>`;
  return zipOf(
    new Map([
      [
        'package.xml',
        `<?xml version="1.0" encoding="UTF-8"?><Package ${NAMESPACE}>${types}<version>${version}</version></Package>`,
      ],
      [
        `permissionsets/${name}.permissionset`,
        `<?xml version="1.0" encoding="UTF-8"?><PermissionSet ${NAMESPACE}>${inner}<label>${name}</label></PermissionSet>`,
      ],
    ]),
  );
}

const reads = (object: string) =>
  `<objectPermissions><allowCreate>false</allowCreate><allowDelete>false</allowDelete><allowEdit>false</allowEdit><allowRead>true</allowRead><modifyAllRecords>false</modifyAllRecords><object>${object}</object><viewAllRecords>false</viewAllRecords></objectPermissions>`;

function send(org: LiveOrg, zip: Buffer, checkOnly: boolean, jsonHead = 'name="json"') {
  const deployOptions = { checkOnly, rollbackOnError: true, singlePackage: true, ignoreWarnings: false };
  const body = Buffer.concat([
    Buffer.from(`--live\r\nContent-Disposition: form-data; ${jsonHead}\r\nContent-Type: application/json\r\n\r\n`),
    Buffer.from(JSON.stringify({ deployOptions })),
    Buffer.from('\r\n--live\r\nContent-Disposition: form-data; name="file"; filename="deploy.zip"\r\n'),
    Buffer.from('Content-Type: application/zip\r\n\r\n'),
    zip,
    Buffer.from('\r\n--live--\r\n'),
  ]);
  const headers = { 'content-type': 'multipart/form-data; boundary=live' };
  return org.api('POST', '/metadata/deployRequest', { body: new Uint8Array(body), headers });
}

interface Ended {
  readonly status: string;
  readonly problem: string;
}

/** Sent and waited for; a text where it was not taken. */
async function deployed(org: LiveOrg, inner: string, checkOnly: boolean): Promise<Ended | string> {
  const sent = await send(org, packed(org, inner), checkOnly);
  if (sent.status !== 201) return codeOf(sent);
  const ended = await org.until(async (): Promise<Ended | undefined> => {
    const { json } = await org.api('GET', `/metadata/deployRequest/${sent.json.id}?includeDetails=true`);
    const { status = '', details } = json?.deployResult ?? {};
    if (['Pending', 'InProgress', 'FinalizingDeploy', 'Canceling'].includes(status)) return undefined;
    const failures = [details?.componentFailures ?? []].flat();
    return { status, problem: String(failures[0]?.problem ?? '') };
  });
  return ended ?? 'not over';
}

const taken = (jsonHead: string) => async (org: LiveOrg) => {
  const answer = await send(org, packed(org, reads('Lead')), true, jsonHead);
  if (answer.status === 403) return notAsked('the user may not deploy');
  return judged(answer.status === 201 && /^0Af/.test(answer.json?.id ?? ''), codeOf(answer));
};

export const metadata: readonly Fact[] = [
  {
    id: 'deploy-multipart',
    assumed: 'A deployment is taken with its options in a part `json` without a file name.',
    source: 'events §13 [D][C]',
    reliesOn: ['src/salesforce/metadata/deploy.ts'],
    how: 'tries a permission set, changes nothing',
    ask: taken('name="json"'),
  },
  {
    id: 'deploy-multipart-file-name',
    assumed: 'A file name on that part is harmless.',
    source: 'events §13: not known',
    reliesOn: ['src/salesforce/metadata/deploy.ts'],
    how: 'the same with one',
    ask: taken('name="json"; filename="blob"'),
  },
  {
    id: 'deploy-unknown-field',
    assumed: 'A permission set that names a field which is not there fails with a text that names the field.',
    source: 'events §13 [G]: texts not collected',
    reliesOn: ['src/salesforce/metadata/deploy.ts', 'src/app/org-deploy-words.ts'],
    how: 'tries one, changes nothing',
    async ask(org) {
      const field =
        '<fieldPermissions><editable>false</editable><field>Lead.GHLive_None__c</field><readable>true</readable></fieldPermissions>';
      const ended = await deployed(org, field + reads('Lead'), true);
      if (typeof ended === 'string') return notAsked(ended);
      return judged(
        ended.status === 'Failed' && ended.problem.includes('GHLive_None__c'),
        `${ended.status}: ${ended.problem}`,
      );
    },
  },
  {
    id: 'read-with-parent',
    assumed: 'Read on Contact wants Read on Account in the same permission set.',
    source: 'docs/connect.md: assumed',
    reliesOn: ['src/salesforce/metadata/package.ts'],
    how: 'tries a set with Contact alone, changes nothing',
    async ask(org) {
      const ended = await deployed(org, reads('Contact'), true);
      if (typeof ended === 'string') return notAsked(ended);
      return judged(ended.status === 'Failed' && /Account/.test(ended.problem), `${ended.status}: ${ended.problem}`);
    },
  },
  {
    id: 'set-replaced',
    assumed: 'A permission set that is deployed again holds what the file says, and no more.',
    source: 'events §13 [G]: "replaced in what the file names"',
    reliesOn: ['src/app/org-deploy.ts', 'docs/connect.md'],
    how: 'deploys a set of this run with two objects, then with one, and looks; the set is deleted',
    async ask(org) {
      const first = await deployed(org, reads('Account') + reads('Lead'), false);
      const second = typeof first === 'string' ? first : await deployed(org, reads('Account'), false);
      if (typeof second === 'string') return notAsked(second);
      const left = await org.query(
        `SELECT SobjectType FROM ObjectPermissions WHERE Parent.Name = '${setName(org)}' ORDER BY SobjectType`,
      );
      const objects = left.map(({ SobjectType }) => String(SobjectType)).join(', ');
      return judged(second.status === 'Succeeded' && objects === 'Account', `${second.status}: ${objects}`);
    },
  },
  {
    id: 'tooling-deploy-request',
    assumed: 'Tooling lists deployments with CheckOnly, CreatedById and CreatedDate, newest first.',
    source: 'not in the wire files: how a deployment is found whose answer was lost',
    reliesOn: ['src/salesforce/metadata/deploy.ts', 'src/app/org-deploy.ts'],
    how: 'tries a permission set and looks for it in the list',
    async ask(org) {
      const sent = await send(org, packed(org, reads('Lead')), true);
      if (sent.status !== 201) return notAsked(codeOf(sent));
      const soql =
        'SELECT Id, CheckOnly, CreatedById, CreatedDate FROM DeployRequest ORDER BY CreatedDate DESC LIMIT 50';
      const answer = await org.api('GET', `/tooling/query?q=${encodeURIComponent(soql)}`);
      const row = answer.json?.records?.find(({ Id }: { Id: string }) => Id.slice(0, 15) === sent.json.id.slice(0, 15));
      const isSo = row?.CheckOnly === true && String(row.CreatedById).slice(0, 15) === org.userId.slice(0, 15);
      return judged(
        isSo && Date.parse(row.CreatedDate) > 0,
        row === undefined ? `${codeOf(answer)}, not listed` : 'listed',
      );
    },
  },
  {
    id: 'tooling-custom-field',
    assumed: 'Tooling lists the custom fields of an object by TableEnumOrId, with DeveloperName.',
    source: 'events §13 [G]: names to be tried',
    reliesOn: ['src/salesforce/metadata/package.ts'],
    how: 'asks for those of Contact',
    async ask({ api }) {
      const soql = "SELECT Id, DeveloperName FROM CustomField WHERE TableEnumOrId = 'Contact'";
      const answer = await api('GET', `/tooling/query?q=${encodeURIComponent(soql)}`);
      return judged(answer.status === 200 && Array.isArray(answer.json?.records), codeOf(answer));
    },
  },
  {
    id: 'deploy-field-taken',
    assumed: 'A field that was deleted and not yet erased stops a deployment with `DUPLICATE_DEVELOPER_NAME`.',
    source: 'events §13, §19 [G]',
    reliesOn: ['src/app/org-deploy-words.ts'],
    how: 'would leave a custom field in the list of deleted ones, where only Setup erases it',
  },
  {
    id: 'licence-refuses-set',
    assumed: 'A licence may refuse the assignment of the permission set; the text says so.',
    source: 'events §19',
    reliesOn: ['src/app/org-deploy.ts'],
    how: 'needs a user with a licence that the set does not fit',
  },
];
