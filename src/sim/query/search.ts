/** The least of a search: every word must occur in the record's name, email, phone, company or number. */
import { recordUrl } from '../records/reader.ts';
import { refuse } from '../refusal.ts';
import type { Row } from '../table.ts';
import type { Asking } from './run.ts';

const searched = ['Name', 'Email', 'Phone', 'Company', 'CaseNumber', 'Subject', 'Website', 'Reference__c'];
const usual = ['Account', 'Contact', 'Lead', 'Opportunity', 'Case'];
const maxFound = 250;

export function search({ org, schema, version }: Asking, text: string, objects: readonly string[]): unknown[] {
  const words = text.toLowerCase().replace(/[*?"]/g, '').split(/\s+/).filter(Boolean);
  if (words.join('').length < 2) throw refuse(400, 'MALFORMED_SEARCH', 'search term must be longer than one character');
  const found: unknown[] = [];
  for (const name of objects.length > 0 ? objects : usual) {
    const object = schema.object(name);
    if (!object) {
      if (objects.length > 0) throw refuse(400, 'INVALID_TYPE', `sObject type '${name}' is not supported.`);
      continue;
    }
    const hits = (row: Row): boolean => {
      const held = searched
        .filter((field) => object.byName.has(field.toLowerCase()))
        .map((field) => String(row[field] ?? ''));
      const whole = held.join(' ').toLowerCase();
      return words.every((word) => whole.includes(word));
    };
    for (const row of org.table(object.name).all()) {
      if (row.IsDeleted || !hits(row)) continue;
      found.push({ attributes: { type: object.name, url: recordUrl(version, object.name, row.Id) }, Id: row.Id });
      if (found.length === maxFound) return found;
    }
  }
  return found;
}
