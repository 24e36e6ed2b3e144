import type { Policy } from '../../permissions/policy.ts';
import type { Fields, Find, Salesforce, SObject } from '../action.ts';
import { GatehouseError } from '../errors.ts';

/**
 * The org as policy lets a bot see it (P5): closed objects are refused, hidden fields are never asked for, masked ones are
 * dotted out, and a write to a closed field stops before it leaves.
 */
export function boundByPolicy(org: Salesforce, policy: Policy): Salesforce {
  const rules = policy.objects;
  const everywhere = rules['*'];

  const readable = (object: string) => {
    const own = rules[object];
    if (own === undefined || !own.read) throw closed(object, 'read');
    return own;
  };
  const isHidden = (object: string, field: string): boolean => {
    const own = rules[object];
    if (field === 'Id' || field === 'LastModifiedDate' || field === 'CreatedDate') return false;
    if (own?.denyFields.includes(field) || everywhere?.denyFields.includes(field)) return true;
    return own?.allowFields !== undefined && !own.allowFields.includes(field);
  };
  /** The fields that name a record for the host may be looked up by, shown or not. */
  const isKey = (object: string, field: string) =>
    (object === 'Account' && field === policy.lookups.accountKey) ||
    (object === 'Opportunity' && field === policy.lookups.opportunityReference);
  const isMasked = (object: string, field: string) =>
    rules[object]?.maskFields.includes(field) === true || everywhere?.maskFields.includes(field) === true;

  const visible = (object: string, fields: readonly string[]) => {
    readable(object);
    return fields.filter(
      (field) => !field.split('.').some((_, at, parts) => isHidden(objectAt(object, parts, at), parts[at]!)),
    );
  };
  const mask = (object: string, record: SObject): SObject =>
    Object.fromEntries(
      Object.entries(record).map(([field, value]) => [
        field,
        value !== null && isMasked(object, field) ? '••••' : value,
      ]),
    ) as SObject; // the same keys, so Id is still there
  const visibleFind = (object: string, find: Find): Find => {
    readable(object);
    for (const condition of find.where)
      if (isHidden(object, condition.field) && !isKey(object, condition.field))
        throw closedField(object, condition.field);
    return { ...find, fields: visible(object, find.fields) };
  };
  const mustWrite = (object: string, fields: Fields) => {
    if (rules[object]?.write !== true) throw closed(object, 'write');
    for (const field of Object.keys(fields))
      if (isHidden(object, field) || isMasked(object, field)) throw closedField(object, field);
  };

  return {
    instanceUrl: org.instanceUrl,
    recordUrl: (id) => org.recordUrl(id),
    describe: (object) => org.describe(object),
    check: (...args) => org.check(...args),
    get: async (object, id, fields) => mask(object, await org.get(object, id, visible(object, fields))),
    find: async (object, find) =>
      (await org.find(object, visibleFind(object, find))).map((record) => mask(object, record)),
    findAll: async (finds) => {
      const bounded = finds.map(({ object, find }) => ({ object, find: visibleFind(object, find) }));
      const answers = await org.findAll(bounded);
      return answers.map((records, at) => records.map((record) => mask(bounded[at]!.object, record))); // answers come in order
    },
    create: async (object, fields, options) => {
      mustWrite(object, fields);
      return org.create(object, fields, options);
    },
    update: async (object, record, changes) => {
      mustWrite(object, changes);
      return org.update(object, record, changes);
    },
    remove: async (object, record) => {
      mustWrite(object, {});
      return org.remove(object, record);
    },
  };
}

/** `Account.Name` read from Opportunity is a field of Account; standard relationships are named like their object. */
function objectAt(object: string, parts: readonly string[], at: number): string {
  return at === 0 ? object : parts[at - 1]!;
}

function closed(object: string, way: 'read' | 'write'): GatehouseError {
  return new GatehouseError('permission_denied', `${object} is not open to this bot to ${way}.`, {
    next: `Tell the user that this is not possible here; an operator can open ${object} in the bot's policy.`,
  });
}

function closedField(object: string, field: string): GatehouseError {
  return new GatehouseError('permission_denied', `${object}.${field} is not open to this bot.`, {
    next: 'Leave this field out; an operator can open it in the policy of the bot.',
    fields: [{ name: field, problem: 'not open to this bot' }],
  });
}
