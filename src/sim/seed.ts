/** A believable small company: Harbour & Finch, fifteen people, a pipeline, a past, and two accounts of one name. */

import { company } from './company.ts';
import { toDatetime, toDay } from './datetimes.ts';
import type { Org } from './org.ts';
import { derive } from './records/derived.ts';
import { toStored } from './records/values.ts';
import { fieldOf } from './schema/object.ts';
import { systemPermissions } from './schema/rights.ts';
import type { SeedRecord, SimSeed } from './seed-form.ts';
import type { Row, Value } from './table.ts';

const order = [
  'Account',
  'Contact',
  'Lead',
  'Campaign',
  'Product2',
  'Opportunity',
  'OpportunityContactRole',
  'Case',
  'Task',
  'Event',
];

export function plantSeed(org: Org, seed: SimSeed = company): void {
  const refs = new Map<string, string>();
  const now = org.now();
  const plant = (object: string, record: SeedRecord): string => {
    const type = org.schema.object(object);
    if (!type) throw new Error(`The seed names an object that the simulated org does not have: ${object}.`);
    const draft: Record<string, Value | undefined> = { ...type.presets };
    let age = 30;
    for (const [name, value] of Object.entries(record)) {
      const field = fieldOf(type, name);
      if (name === 'ref' || value === null) continue;
      if (name === 'ageDays') age = Number(value);
      else if (field) draft[field.name] = toStored(field, resolveValue(value, refs, now)) ?? undefined;
      // An org that never installed a custom field has no values for it either.
      else if (!name.endsWith('__c')) throw new Error(`The seed names a field that ${object} does not have: ${name}.`);
    }
    const stamp = toDatetime(now - age * dayMs);
    const id = typeof draft.Id === 'string' ? draft.Id : org.mint(type.keyPrefix);
    if (type.fields.some((field) => field.isAutoNumber))
      draft.CaseNumber = String(org.count('CaseNumber')).padStart(8, '0');
    derive(object, draft, new Set(Object.keys(draft)), undefined, stamp);
    const owner = refs.get('admin') ?? id;
    const row: Row = {
      ...(type.byName.has('ownerid') ? { OwnerId: owner } : {}),
      ...draft,
      Id: id,
      IsDeleted: false,
      CreatedDate: stamp,
      CreatedById: owner,
      LastModifiedDate: stamp,
      LastModifiedById: owner,
      SystemModstamp: stamp,
    };
    org.saveRow(object, row);
    if (object === 'OpportunityContactRole' && row.IsPrimary) {
      const opportunity = org.row('Opportunity', String(row.OpportunityId));
      if (opportunity) org.saveRow('Opportunity', { ...opportunity, ContactId: row.ContactId });
    }
    if (typeof record.ref === 'string') refs.set(record.ref, id);
    return id;
  };

  plant('Organization', organization(org));
  for (const user of users) plant('User', user);
  for (const profile of profiles) plant('PermissionSet', profile);
  for (const of of ['admin', 'limited'])
    plant('PermissionSetAssignment', { PermissionSetId: `@profile-${of}`, AssigneeId: `@${of}`, ageDays: 800 });
  for (const queue of queues) plant('Group', queue);
  for (const object of org.schema.objects) {
    for (const type of object.recordTypes) {
      plant('RecordType', {
        Id: type.id,
        Name: type.name,
        DeveloperName: type.developerName,
        SobjectType: object.name,
        IsActive: true,
      });
    }
  }
  const names = [...order, ...Object.keys(seed.records).filter((name) => !order.includes(name))];
  for (const object of names) for (const record of seed.records[object] ?? []) plant(object, record);
}

const dayMs = 24 * 60 * 60 * 1000;

/** `@ref` is the id of a named record; `+12d` and `-40d` are days from now, `this-quarter` the first day of this one. */
function resolveValue(value: string | number | boolean, refs: ReadonlyMap<string, string>, now: number): Value {
  if (typeof value !== 'string') return value;
  if (value.startsWith('@')) {
    const id = refs.get(value.slice(1));
    if (!id) throw new Error(`The seed points to a record that does not stand before it: ${value}.`);
    return id;
  }
  const shift = /^([+-]\d+)d$/.exec(value);
  if (shift) return toDay(now + Number(shift[1]) * dayMs);
  if (value === 'this-quarter') {
    const today = new Date(now);
    return toDay(Date.UTC(today.getUTCFullYear(), Math.floor(today.getUTCMonth() / 3) * 3, 1));
  }
  return value;
}

function organization(org: Org): SeedRecord {
  const isSandbox = org.settings.sandbox;
  return {
    Id: '00D5i000000SimZEAS',
    Name: 'Harbour & Finch (simulated)',
    OrganizationType: 'Developer Edition',
    IsSandbox: isSandbox,
    InstanceName: 'SIM1',
    TimeZoneSidKey: 'GMT',
    LanguageLocaleKey: 'en_US',
    DefaultLocaleSidKey: 'en_US',
    FiscalYearStartMonth: 1,
    ageDays: 900,
  };
}

const user = (ref: string, username: string, first: string, last: string, title: string): SeedRecord => ({
  ref,
  Username: username,
  Email: username,
  FirstName: first,
  LastName: last,
  Title: title,
  Alias: first.slice(0, 5).toLowerCase(),
  CommunityNickname: first.toLowerCase(),
  CompanyName: 'Harbour & Finch',
  IsActive: true,
  TimeZoneSidKey: 'GMT',
  ageDays: 800,
});

const queues: readonly SeedRecord[] = [
  { ref: 'first-line', Name: 'First line', DeveloperName: 'First_line', Type: 'Queue', ageDays: 800 },
  { ref: 'web-leads', Name: 'Web leads', DeveloperName: 'Web_leads', Type: 'Queue', ageDays: 800 },
];

/** The permission set that each profile has of its own. */
const profile = (of: string, label: string, permissions: readonly string[]): SeedRecord => ({
  ref: `profile-${of}`,
  Name: `X00ex_${of}`,
  Label: label,
  IsOwnedByProfile: true,
  ...Object.fromEntries(permissions.map((name) => [`Permissions${name}`, true])),
  ageDays: 800,
});

const profiles = [
  profile('admin', 'System Administrator', systemPermissions),
  profile('limited', 'Account Assistant', ['ApiEnabled']),
];

const users = [
  user('admin', 'admin@sim.example', 'Ada', 'Quill', 'Sales Operations'),
  user('limited', 'limited@sim.example', 'Lem', 'Price', 'Account Assistant'),
];
