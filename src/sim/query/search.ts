/** The least of a search: all that is wanted must occur in the record's name, email, phone, company or number. */
import { recordUrl } from '../records/reader.ts';
import { refuse } from '../refusal.ts';
import type { Row } from '../table.ts';
import type { Asking } from './run.ts';
import type { Scope, Wanted } from './sosl.ts';

const searched: Readonly<Record<Scope, readonly string[]>> = {
  ALL: ['Name', 'Email', 'Phone', 'Company', 'CaseNumber', 'Subject', 'Website', 'Reference__c'],
  NAME: ['Name', 'Company', 'CaseNumber', 'Subject'],
  EMAIL: ['Email'],
  PHONE: ['Phone', 'MobilePhone'],
};
const usual = ['Account', 'Contact', 'Lead', 'Opportunity', 'Case'];
const maxFound = 250;

export interface Found {
  readonly attributes: { readonly type: string; readonly url: string };
  readonly Id: string;
}

export function search(
  { org, schema, version }: Asking,
  wanted: Wanted,
  objects: readonly string[],
  scope: Scope = 'ALL',
): readonly Found[] {
  const found: Found[] = [];
  for (const name of objects.length > 0 ? objects : usual) {
    const object = schema.object(name);
    if (!object) {
      if (objects.length > 0) throw refuse(400, 'INVALID_TYPE', `sObject type '${name}' is not supported.`);
      continue;
    }
    const hits = (row: Row): boolean => {
      const held = searched[scope]
        .filter((field) => object.byName.has(field.toLowerCase()))
        .map((field) => String(row[field] ?? ''));
      const whole = held.join(' ');
      return wanted.some((all) => all.every((pattern) => pattern.test(whole)));
    };
    for (const row of org.table(object.name).all()) {
      if (row.IsDeleted || !hits(row)) continue;
      found.push({ attributes: { type: object.name, url: recordUrl(version, object.name, row.Id) }, Id: row.Id });
      if (found.length === maxFound) return found;
    }
  }
  return found;
}
