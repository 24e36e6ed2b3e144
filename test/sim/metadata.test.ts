import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import jsforce from 'jsforce';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OpenOrg, openOrg } from './open-org.ts';

const FIELD = `<?xml version="1.0" encoding="UTF-8"?>
<CustomObject xmlns="http://soap.sforce.com/2006/04/metadata"><fields><fullName>Gatehouse_Id__c</fullName><label>Gatehouse Id</label>
<type>Text</type><length>64</length><unique>true</unique><externalId>true</externalId><caseSensitive>true</caseSensitive></fields></CustomObject>`;
const SET = (inner: string) =>
  `<PermissionSet xmlns="http://soap.sforce.com/2006/04/metadata"><label>Least</label>${inner}</PermissionSet>`;
const FIELD_ACCESS =
  '<fieldPermissions><editable>true</editable><field>Contact.Gatehouse_Id__c</field><readable>true</readable></fieldPermissions>';
const manifest = (types: Readonly<Record<string, string>>) =>
  `<Package>${Object.entries(types)
    .map(([name, member]) => `<types><members>${member}</members><name>${name}</name></types>`)
    .join('')}<version>66.0</version></Package>`;

/** Packed by Python's own library: stored or deflated. */
function zipOf(files: Readonly<Record<string, string>>, how: 'ZIP_STORED' | 'ZIP_DEFLATED' = 'ZIP_DEFLATED'): Buffer {
  const folder = mkdtempSync(path.join(tmpdir(), 'zip-'));
  try {
    writeFileSync(path.join(folder, 'files.json'), JSON.stringify(files));
    const script = `import json,zipfile\nz=zipfile.ZipFile('out.zip','w',zipfile.${how})\n[z.writestr(n,t) for n,t in json.load(open('files.json')).items()]\nz.close()`;
    execFileSync('python3', ['-c', script], { cwd: folder });
    return readFileSync(path.join(folder, 'out.zip'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const hasPython = spawnSync('python3', ['--version']).status === 0;

describe.skipIf(!hasPython)('a package deployed to the simulated org by jsforce', () => {
  let org: OpenOrg;
  let conn: InstanceType<typeof jsforce.Connection>;
  beforeEach(async () => {
    org = await openOrg({ seed: 'stock' });
    conn = new jsforce.Connection({ instanceUrl: org.url, accessToken: org.token, version: '66.0' });
  });
  afterEach(() => org[Symbol.asyncDispose]());

  const deployed = async (zip: Buffer, options: Record<string, unknown> = {}) => {
    const { id } = (await conn.metadata.deployRest(zip, {
      rollbackOnError: true,
      singlePackage: true,
      ...options,
    })) as {
      id: string;
    };
    return (await org.api('GET', `/metadata/deployRequest/${id}?includeDetails=true`)).body.deployResult;
  };
  const hasField = async (of = org) =>
    (await of.api('GET', '/sobjects/Contact/describe')).body.fields.some(
      ({ name }: { name: string }) => name === 'Gatehouse_Id__c',
    );

  it.each(['ZIP_STORED', 'ZIP_DEFLATED'] as const)(
    'makes a field that nobody sees until a permission set is theirs (%s) [X5] [B5]',
    async (how) => {
      const zip = zipOf(
        {
          'package.xml': manifest({ CustomField: 'Contact.Gatehouse_Id__c', PermissionSet: 'Least' }),
          'objects/Contact.object': FIELD,
          'permissionsets/Least.permissionset': SET(FIELD_ACCESS),
        },
        how,
      );
      expect(await deployed(zip, { checkOnly: true })).toMatchObject({ status: 'Succeeded', checkOnly: true });
      expect((await org.query("SELECT Id FROM PermissionSet WHERE Name = 'Least'")).body.totalSize).toBe(0);
      expect(await deployed(zip)).toMatchObject({ status: 'Succeeded', numberComponentsDeployed: 2 });
      expect(await hasField()).toBe(false);
      const [set] = (await conn.query("SELECT Id FROM PermissionSet WHERE Name = 'Least'")).records;
      const [admin] = (await conn.query("SELECT Id FROM User WHERE Username = 'admin@sim.example'")).records;
      const assigned = { PermissionSetId: set?.Id ?? '', AssigneeId: admin?.Id ?? '' };
      expect(await conn.sobject('PermissionSetAssignment').create(assigned)).toMatchObject({ success: true });
      expect(await hasField()).toBe(true);
      expect(await hasField(await org.as('limited@sim.example'))).toBe(false);
      expect(
        (await conn.query('SELECT Field, PermissionsEdit, Parent.Name FROM FieldPermissions')).records,
      ).toMatchObject([{ Field: 'Contact.Gatehouse_Id__c', PermissionsEdit: true, Parent: { Name: 'Least' } }]);
    },
  );

  it('takes all of it or nothing, and says what is wrong with each part [X5] [B5]', async () => {
    const failed = await deployed(
      zipOf({
        'package.xml': manifest({ CustomField: 'Contact.Gatehouse_Id__c', PermissionSet: 'Least' }),
        'objects/Contact.object': FIELD,
        'permissionsets/Least.permissionset': SET(
          '<fieldPermissions><editable>true</editable><field>Contact.LastName</field><readable>true</readable></fieldPermissions>',
        ),
      }),
    );
    expect(failed).toMatchObject({ status: 'Failed', success: false, numberComponentErrors: 1 });
    expect(failed.details.componentFailures).toMatchObject([
      { fullName: 'Least', problem: 'You cannot deploy to a required field: Contact.LastName', problemType: 'Error' },
    ]);
    expect((await org.sim('GET', '/settings')).body.guardedFields).toEqual([]);
    expect((await deployed(Buffer.from('no zip'))).details.componentFailures[0].problem).toBe('not a zip file');
  });

  it('answers while it lasts, and lets only who may deploy and assign do so [X5]', async () => {
    await org.sim('POST', '/settings', { deployMs: 60_000 });
    const zip = zipOf({
      'package.xml': manifest({ CustomField: 'Contact.Gatehouse_Id__c' }),
      'objects/Contact.object': FIELD,
    });
    expect(await deployed(zip)).toMatchObject({ status: 'InProgress', done: false });
    const limited = await org.as('limited@sim.example');
    conn = new jsforce.Connection({ instanceUrl: org.url, accessToken: limited.token, version: '66.0' });
    await expect(deployed(zip)).rejects.toThrow(/ModifyMetadata/);
    expect((await limited.api('POST', '/sobjects/PermissionSetAssignment', {})).status).toBe(403);
  });

  it('selects objects for change events, five at most [X5] [B5]', async () => {
    const member = (object: string) =>
      deployed(
        zipOf({
          'package.xml': manifest({ PlatformEventChannelMember: `ChangeEvents_${object}ChangeEvent` }),
          [`platformEventChannelMembers/ChangeEvents_${object}ChangeEvent.platformEventChannelMember`]: `<PlatformEventChannelMember><eventChannel>ChangeEvents</eventChannel><selectedEntity>${object}ChangeEvent</selectedEntity></PlatformEventChannelMember>`,
        }),
      );
    for (const object of ['Account', 'Contact', 'Lead', 'Case', 'Opportunity'])
      expect((await member(object)).status).toBe('Succeeded');
    expect((await member('Campaign')).details.componentFailures[0].problem).toContain('up to 5 entities');
  });
});
