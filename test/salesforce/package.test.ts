import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import jsforce from 'jsforce';
import { describe, expect, it } from 'vitest';
import { packageFor } from '../../src/salesforce/metadata/package.ts';
import { zipOf } from '../../src/salesforce/metadata/zip.ts';
import { openOrg } from '../sim/open-org.ts';
import { type Door, openDoor } from '../support/door.ts';

const OURS = ['Account', 'Contact', 'Lead', 'Opportunity'].map((object) => `${object}.Gatehouse_Id__c`);
const hasPython = spawnSync('python3', ['--version']).status === 0;

async function prepared(door: Door, query = '') {
  const answer = await door.ask('GET', `/api/bots/demo/org/package${query}`, { key: await door.operatorKey('viewer') });
  expect(answer.status).toBe(200);
  return answer.json;
}

describe('the package that sets an org up for a bot', () => {
  it('deploys as it is, tried first, and gives the user the fields and no more [B5]', async () => {
    await using door = await openDoor();
    await door.world.sim('POST', 'settings', { withoutFields: OURS });
    const made = await prepared(door, '?events=true');
    expect(made.permissionSet).toMatch(/^Gatehouse_demo_\w{4}$/);
    expect(made.digest).toBe(createHash('sha256').update(Buffer.from(made.zip, 'base64')).digest('hex'));
    expect((await prepared(door, '?events=true')).digest).toBe(made.digest);

    await using org = await openOrg();
    await org.sim('POST', '/settings', { withoutFields: OURS });
    const conn = new jsforce.Connection({ instanceUrl: org.url, accessToken: org.token, version: '66.0' });
    const deploy = async (checkOnly: boolean) => {
      const zip = Buffer.from(made.zip, 'base64');
      const { id } = (await conn.metadata.deployRest(zip, {
        checkOnly,
        rollbackOnError: true,
        singlePackage: true,
      })) as {
        id: string;
      };
      return (await org.api('GET', `/metadata/deployRequest/${id}?includeDetails=true`)).body.deployResult;
    };
    const tried = await deploy(true);
    expect(tried.details.componentFailures).toEqual([]);
    expect(tried).toMatchObject({ status: 'Succeeded', checkOnly: true });
    expect(await deploy(false)).toMatchObject({ status: 'Succeeded', numberComponentErrors: 0 });
    const [set] = (await conn.query(`SELECT Id FROM PermissionSet WHERE Name = '${made.permissionSet}'`)).records;
    const wide = (
      await conn.query(
        'SELECT SobjectType, PermissionsDelete, PermissionsViewAllRecords, PermissionsModifyAllRecords FROM ObjectPermissions',
      )
    ).records;
    expect(wide.length).toBeGreaterThan(3);
    for (const row of wide)
      expect(row).toMatchObject({
        PermissionsDelete: false,
        PermissionsViewAllRecords: false,
        PermissionsModifyAllRecords: false,
      });
    const fields = (await conn.query('SELECT Field, PermissionsEdit FROM FieldPermissions')).records;
    for (const field of OURS.slice(1)) expect(fields).toContainEqual(expect.objectContaining({ Field: field }));
    expect((await org.sim('GET', '/settings')).body.changeDataCapture).toEqual(['Contact', 'Opportunity']);
    expect(set?.Id).toMatch(/^0PS/);
  });

  it('holds what is granted, and not what policy closes [B5]', async () => {
    await using door = await openDoor({ grants: ['CREATE_LEAD'] });
    await door.world.setPolicy((policy) => ({
      ...policy,
      objects: { ...policy.objects, Lead: { ...policy.objects.Lead!, denyFields: ['Phone'] } },
    }));
    const { parts, clicks } = await prepared(door);
    const text = parts.join('\n');
    // By hand each object is one page of Setup, with its fields.
    const pages = clicks.filter((click: string) =>
      click.startsWith('In it, Object Settings, Lead, Edit: read, create. '),
    );
    expect(pages).toEqual([expect.stringMatching(/ Fields to read and edit: .*Email.*\. Fields to read: .*Save\.$/)]);
    expect(clicks.join('\n')).not.toMatch(/\bPhone\b/);
    expect(text).toContain('Lead: read, create\n');
    expect(text).toContain('Lead.Email: read and edit');
    expect(text).not.toContain('Lead.Phone');
    expect(text).not.toContain('field Lead.Gatehouse_Id__c:');
  });

  it('stops where a field of our name is another one, and changes none that is there [B5]', async () => {
    await using door = await openDoor();
    const field = { object: 'Contact', name: 'Gatehouse_Id__c', type: 'string', length: 20 };
    await door.world.sim('POST', 'fields', [field]);
    const answer = await door.ask('GET', '/api/bots/demo/org/package', { key: await door.operatorKey('viewer') });
    expect(answer.status).toBe(409);
    expect(answer.json).toMatchObject({ error: { code: 'conflict', message: expect.stringContaining('Contact') } });
  });

  it('writes names from outside as text, never as XML [B5]', () => {
    const { files, permissionSet } = packageFor({
      bot: 'a-b_<x>&',
      connectionId: 'c0ffee-1234',
      username: 'u',
      version: '66.0',
      describes: new Map(),
      events: [],
      needs: [
        {
          object: 'Lead',
          create: true,
          edit: false,
          delete: false,
          because: [],
          fields: [{ name: 'A</field><viewAllRecords>true', isEdited: true, isOptional: false }],
        },
      ],
    });
    expect(permissionSet).toBe('Gatehouse_a_b_x_c0ff');
    const text = files.get(`permissionsets/${permissionSet}.permissionset`) ?? '';
    expect(text).not.toContain('<viewAllRecords>true');
    expect(text).toContain('A&#60;/field&#62;');
  });

  it.skipIf(!hasPython)('is a zip that another reader takes, byte by byte [B5]', () => {
    const files = new Map([
      ['package.xml', '<Package/>'],
      ['objects/Ä.object', 'Zürich 🦊\n'.repeat(500)],
      ['empty', ''],
    ]);
    const script =
      'import sys,zipfile,io,json\nz=zipfile.ZipFile(io.BytesIO(sys.stdin.buffer.read()))\nassert z.testzip() is None\nprint(json.dumps({n:z.read(n).decode("utf8") for n in z.namelist()}))';
    const read = spawnSync('python3', ['-c', script], { input: zipOf(files) });
    expect(read.stderr.toString()).toBe('');
    expect(JSON.parse(read.stdout.toString())).toEqual(Object.fromEntries(files));
  });
});
