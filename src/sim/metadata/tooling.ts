/** `/tooling/query`, for the two objects that it has here: deployments that were asked for, and the custom fields of an object. */
import { toDatetime } from '../datetimes.ts';
import { mintId } from '../ids.ts';
import { methodNotAllowed, notFound, refuse } from '../refusal.ts';
import { type Call, ok, type Reply } from '../rest/call.ts';
import { isPermitted } from './access.ts';

type Rows = (call: Call, which: string) => readonly Readonly<Record<string, unknown>>[];

/** What each may be asked for, in the one form that it takes here. */
const OBJECTS: Readonly<
  Record<string, { readonly form: RegExp; readonly fields: readonly string[]; readonly rows: Rows }>
> = {
  DeployRequest: {
    form: /^ORDER BY CreatedDate DESC LIMIT (\d+)$/i,
    fields: ['Id', 'CheckOnly', 'CreatedById', 'CreatedDate', 'CompletedDate', 'Status'],
    rows: ({ org }, limit) =>
      [...org.facts('deployment')]
        .sort((a, b) => (a.createdAt === b.createdAt ? (a.id < b.id ? 1 : -1) : a.createdAt < b.createdAt ? 1 : -1))
        .slice(0, Number(limit))
        .map((one) => {
          const isOver = org.now() >= one.doneAt;
          return {
            Id: one.id,
            CheckOnly: one.options.checkOnly === true,
            CreatedById: one.userId,
            CreatedDate: toDatetime(Date.parse(one.createdAt)),
            CompletedDate: isOver ? toDatetime(one.doneAt) : null,
            Status: !isOver ? 'InProgress' : one.failures.length === 0 ? 'Succeeded' : 'Failed',
          };
        }),
  },
  CustomField: {
    form: /^WHERE TableEnumOrId = '(\w+)'$/i,
    fields: ['Id', 'DeveloperName', 'TableEnumOrId'],
    rows: ({ org }, object) =>
      (org.schema.object(object)?.fields ?? [])
        .filter(({ name }) => name.endsWith('__c'))
        .map(({ name }, at) => ({
          Id: mintId('00N', at, 0),
          DeveloperName: name.slice(0, -'__c'.length),
          TableEnumOrId: object,
        })),
  },
};

export function toolingQuery(call: Call): Reply {
  const { method, path, query, org, userId, version } = call;
  if (path[1]?.toLowerCase() !== 'query' || path.length > 2) throw notFound();
  if (method !== 'GET') throw methodNotAllowed(method, 'GET');
  const soql = (query.get('q') ?? '').replace(/\s+/g, ' ').trim();
  const [, selected = '', name = '', rest = ''] = /^SELECT ([\w, ]+?) FROM (\w+) ?(.*)$/i.exec(soql) ?? [];
  const mayLook = isPermitted(org, userId, ['ModifyAllData', 'ModifyMetadata', 'ViewSetup']);
  const object = mayLook && Object.hasOwn(OBJECTS, name) ? OBJECTS[name] : undefined;
  if (object === undefined) throw refuse(400, 'INVALID_TYPE', `sObject type '${name}' is not supported.`);
  const [, which] = object.form.exec(rest) ?? [];
  if (which === undefined)
    throw refuse(400, 'MALFORMED_QUERY', `The simulated org asks Tooling in one form alone: ${object.form.source}`);
  const fields = selected.split(',').map((field) => field.trim());
  const unknown = fields.find((field) => !object.fields.includes(field));
  if (unknown !== undefined) throw refuse(400, 'INVALID_FIELD', `No such column '${unknown}' on entity '${name}'`);
  const records = object.rows(call, which).map((row) => ({
    attributes: { type: name, url: `/services/data/${version}/tooling/sobjects/${name}/${row.Id}` },
    ...Object.fromEntries(fields.map((field) => [field, row[field]])),
  }));
  return ok({ size: records.length, totalSize: records.length, done: true, queryLocator: null, records });
}
