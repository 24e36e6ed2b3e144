import { randomBytes } from 'node:crypto';
import { isRecord, recordsIn } from '../../domain/is-record.ts';
import { oneLine } from '../../domain/safe-text.ts';
import type { AdminOrg, AdminSession, DeployedPart, DeployReport } from '../../ports/org-deploy.ts';
import { toFailure } from '../transport/failures.ts';
import type { Answer, Transport, Wire } from '../transport/http.ts';
import { UpstreamError } from '../transport/upstream-error.ts';
import { accessLine, fieldLine, MADE_BY_US } from './package.ts';

/** A package sent to the org (Metadata REST), with the token of who signed in for it: none of the bot's connection. */
export function createAdminOrg(
  { transport, apiVersion }: { readonly transport: Transport; readonly apiVersion: string },
  { accessToken, instanceUrl, userId, username }: AdminSession,
  signal: AbortSignal,
): AdminOrg {
  const root = `/services/data/${apiVersion}`;

  async function send(wire: Omit<Wire, 'base' | 'signal'>): Promise<Answer> {
    const answer = await transport.exchange({
      ...wire,
      base: instanceUrl,
      signal,
      headers: { ...wire.headers, authorization: `Bearer ${accessToken}` },
    });
    const failure = toFailure(answer, wire.isRead);
    if (failure) throw mayNot(answer, failure) ? forbidden(username, failure) : failure;
    return answer;
  }

  async function query(soql: string, path = '/query'): Promise<readonly Record<string, unknown>[]> {
    const { json } = await send({
      method: 'GET',
      path: `${root}${path}?q=${encodeURIComponent(soql)}`,
      isRead: true,
    });
    return isRecord(json) ? recordsIn(json.records) : [];
  }

  return {
    userId,
    async deploy(zip, { checkOnly }) {
      // No testLevel: production refuses the lowest one, and a package without Apex runs no tests.
      const options = { checkOnly, rollbackOnError: true, singlePackage: true, ignoreWarnings: false };
      const { type, body } = multipart(JSON.stringify({ deployOptions: options }), zip);
      const { json } = await send({
        method: 'POST',
        path: `${root}/metadata/deployRequest`,
        headers: { 'content-type': type },
        body,
        isRead: false,
      });
      const id = isRecord(json) ? json.id : undefined;
      if (typeof id === 'string' && /^0Af[A-Za-z0-9]{12,15}$/.test(id)) return id;
      throw new UpstreamError('salesforce_error', 'Salesforce took the package and did not say under which id.', {
        next: 'Look at Setup, Deployment Status.',
        outcome: 'unknown',
      });
    },
    async report(id) {
      const { json } = await send({
        method: 'GET',
        path: `${root}/metadata/deployRequest/${id}?includeDetails=true`,
        isRead: true,
      });
      return toReport(isRecord(json) && isRecord(json.deployResult) ? json.deployResult : {});
    },
    async sentSince(createdAt) {
      const newest = await query(
        'SELECT Id, CheckOnly, CreatedById, CreatedDate FROM DeployRequest ORDER BY CreatedDate DESC LIMIT 50',
        '/tooling/query',
      );
      // Records of an org know whole seconds.
      const since = Math.floor(Date.parse(createdAt) / 1000) * 1000;
      return newest.flatMap(({ Id, CheckOnly, CreatedById, CreatedDate }) =>
        CheckOnly === false &&
        String(CreatedById).slice(0, 15) === userId.slice(0, 15) &&
        Date.parse(String(CreatedDate)) >= since
          ? [String(Id)]
          : [],
      );
    },
    async permissionSet(name) {
      const [set] = await query(`SELECT Id, Description FROM PermissionSet WHERE Name = '${name}'`);
      if (set === undefined) return undefined;
      const id = String(set.Id);
      const [objects, fields] = await Promise.all([
        query(
          `SELECT SobjectType, PermissionsCreate, PermissionsEdit, PermissionsDelete FROM ObjectPermissions WHERE ParentId = '${id}'`,
        ),
        query(`SELECT Field, PermissionsEdit FROM FieldPermissions WHERE ParentId = '${id}'`),
      ]);
      return {
        id,
        isOurs: String(set.Description).endsWith(MADE_BY_US),
        gives: [
          ...objects.map((row) =>
            accessLine({
              object: String(row.SobjectType),
              create: row.PermissionsCreate === true,
              edit: row.PermissionsEdit === true,
              delete: row.PermissionsDelete === true,
            }),
          ),
          ...fields.map((row) => fieldLine({ name: String(row.Field), isEdited: row.PermissionsEdit === true })),
        ],
      };
    },
    async assign(permissionSetId, assignee) {
      const has = await query(
        `SELECT Id FROM PermissionSetAssignment WHERE PermissionSetId = '${permissionSetId}' AND AssigneeId = '${assignee}'`,
      );
      if (has.length > 0) return false;
      await send({
        method: 'POST',
        path: `${root}/sobjects/PermissionSetAssignment`,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ AssigneeId: assignee, PermissionSetId: permissionSetId }),
        isRead: false,
      });
      return true;
    },
  };
}

/** As bytes: `FormData` gives the JSON a file name, and whether Salesforce minds is not known. */
function multipart(json: string, zip: Buffer): { readonly type: string; readonly body: Uint8Array<ArrayBuffer> } {
  const boundary = `gatehouse-${randomBytes(18).toString('hex')}`;
  const part = (head: readonly string[]) => `--${boundary}\r\n${head.join('\r\n')}\r\n\r\n`;
  const body = Buffer.concat([
    Buffer.from(part(['Content-Disposition: form-data; name="json"', 'Content-Type: application/json'])),
    Buffer.from(`${json}\r\n`),
    Buffer.from(
      part(['Content-Disposition: form-data; name="file"; filename="deploy.zip"', 'Content-Type: application/zip']),
    ),
    zip,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
  return { type: `multipart/form-data; boundary=${boundary}`, body: new Uint8Array(body) };
}

/** `done` and `success` may be absent: the status decides. */
const OVER: Readonly<Record<string, boolean>> = {
  Succeeded: true,
  SucceededPartial: false,
  Failed: false,
  Canceled: false,
  FinalizingDeployFailed: false,
};

function toReport(result: Record<string, unknown>): DeployReport {
  const text = (value: unknown) => (typeof value === 'string' ? oneLine(value) : '');
  const status = text(result.status);
  const details = isRecord(result.details) ? result.details : {};
  const listed = (value: unknown) =>
    recordsIn(Array.isArray(value) ? value : [value]).filter(({ fullName }) => fullName !== 'package.xml');
  const failures = recordsIn(
    Array.isArray(details.componentFailures) ? details.componentFailures : [details.componentFailures],
  ).map(({ componentType, fullName, problem }) => ({
    type: text(componentType),
    name: text(fullName),
    problem: text(problem),
  }));
  return {
    status,
    isOver: status in OVER,
    isGood: OVER[status] === true,
    createdAt: text(result.createdDate),
    parts: listed(details.componentSuccesses).map(
      ({ componentType, fullName, created, changed }): DeployedPart => ({
        type: text(componentType),
        name: text(fullName),
        change: created === true ? 'created' : changed === true ? 'changed' : 'unchanged',
      }),
    ),
    failures:
      failures.length === 0 && typeof result.errorMessage === 'string'
        ? [{ type: '', name: '', problem: text(result.errorMessage) }]
        : failures,
  };
}

const mayNot = ({ status }: Answer, { salesforce }: UpstreamError): boolean =>
  status === 403 && /^INSUFFICIENT_ACCESS/.test(salesforce?.code ?? '');

function forbidden(username: string, failure: UpstreamError): UpstreamError {
  return new UpstreamError('permission_denied', `${username} may not do this in the org: Salesforce refused it.`, {
    next: 'Begin again, and sign in as an administrator. To deploy takes "Modify Metadata Through Metadata API Functions" (or "Modify All Data") and "Customize Application"; to assign takes "Assign Permission Sets". Or download the zip.',
    salesforce: failure.salesforce,
    outcome: 'refused',
    cause: failure,
  });
}
