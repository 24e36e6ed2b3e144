/** `/tooling/query`, for the one object that it has here: deployments that were asked for, as Setup lists them. */
import { toDatetime } from '../datetimes.ts';
import { methodNotAllowed, notFound, refuse } from '../refusal.ts';
import { type Call, ok, type Reply } from '../rest/call.ts';
import { isPermitted } from './access.ts';

const FIELDS = ['Id', 'CheckOnly', 'CreatedById', 'CreatedDate', 'CompletedDate', 'Status'];

export function toolingQuery({ method, path, query, org, userId, version }: Call): Reply {
  if (path[1]?.toLowerCase() !== 'query' || path.length > 2) throw notFound();
  if (method !== 'GET') throw methodNotAllowed(method, 'GET');
  const soql = query.get('q') ?? '';
  const [, selected, limit] =
    /^\s*SELECT\s+([\w\s,]+?)\s+FROM\s+DeployRequest\s+ORDER BY CreatedDate DESC\s+LIMIT (\d+)\s*$/i.exec(soql) ?? [];
  if (selected === undefined)
    throw refuse(
      400,
      'INVALID_TYPE',
      'The simulated org has DeployRequest alone for Tooling, newest first and with a limit.',
    );
  if (!isPermitted(org, userId, ['ModifyAllData', 'ModifyMetadata', 'ViewSetup']))
    throw refuse(400, 'INVALID_TYPE', "sObject type 'DeployRequest' is not supported.");
  const fields = selected.split(',').map((name) => name.trim());
  const unknown = fields.find((name) => !FIELDS.includes(name));
  if (unknown !== undefined)
    throw refuse(400, 'INVALID_FIELD', `No such column '${unknown}' on entity 'DeployRequest'`);
  const rows = [...org.facts('deployment')]
    .sort((a, b) => Number(a.createdAt < b.createdAt) - Number(a.createdAt > b.createdAt) || (a.id < b.id ? 1 : -1))
    .slice(0, Number(limit))
    .map((one) => {
      const isOver = org.now() >= one.doneAt;
      const values: Readonly<Record<string, unknown>> = {
        Id: one.id,
        CheckOnly: one.options.checkOnly === true,
        CreatedById: one.userId,
        CreatedDate: toDatetime(Date.parse(one.createdAt)),
        CompletedDate: isOver ? toDatetime(one.doneAt) : null,
        Status: !isOver ? 'InProgress' : one.failures.length === 0 ? 'Succeeded' : 'Failed',
      };
      const attributes = {
        type: 'DeployRequest',
        url: `/services/data/${version}/tooling/sobjects/DeployRequest/${one.id}`,
      };
      return { attributes, ...Object.fromEntries(fields.map((name) => [name, values[name]])) };
    });
  return ok({ size: rows.length, totalSize: rows.length, done: true, queryLocator: null, records: rows });
}
