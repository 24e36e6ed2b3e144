/** A record as a form: what may be written is an input, all else is text. */
import { escapeHtml } from '../http.ts';
import { showField } from '../records/reader.ts';
import type { Field } from '../schema/field.ts';
import type { ObjectType } from '../schema/object.ts';
import type { Row } from '../table.ts';

type Linked = (id: string) => { readonly href: string; readonly name: string } | undefined;

/** Set by the org itself, or told by the parts that stand beside it. */
const isHidden = (field: Field): boolean => field.type === 'address' || field.name === 'IsDeleted';

export function recordForm(object: ObjectType, row: Row | undefined, linked: Linked, given?: URLSearchParams): string {
  const right = row ? 'isUpdateable' : 'isCreateable';
  const canWrite = (field: Field) => object.isWritable && field[right];
  const fields = object.fields.filter((field) => !isHidden(field) && (row || canWrite(field)));
  const [open, closed] = [fields.filter(canWrite), fields.filter((field) => !canWrite(field))];
  const inputs = open.map((field) => {
    const was = row ? shown(row, field) : String(object.presets[field.name] ?? '');
    return input(field, was, given?.get(field.name) ?? undefined, linked);
  });
  const facts = closed.map((field) => {
    const text = row ? shown(row, field) : '';
    const target = field.type === 'reference' ? linked(text) : undefined;
    const value = target ? `<a href="${target.href}">${escapeHtml(target.name)}</a>` : escapeHtml(text);
    return `<div class="field"><span class="label">${escapeHtml(field.label)}</span><span class="value">${value || '<small>empty</small>'}</span></div>`;
  });
  const remove =
    row && object.isDeletable ? '<button class="quiet" name="delete" value="1" formnovalidate>Delete</button>' : '';
  const actions = open.length > 0 ? `<div class="actions"><button>Save</button>${remove}</div>` : '';
  return `<form class="record card" method="post">${inputs.join('')}${actions}${facts.join('')}</form>`;
}

/** Only what the person changed: a sync that wrote meanwhile is not undone by what the form still showed. */
export function changedFields(object: ObjectType, given: URLSearchParams): Record<string, unknown> {
  const changed: Record<string, unknown> = {};
  for (const field of object.fields) {
    const was = given.get(`was.${field.name}`);
    if (was === null) continue;
    const now = field.type === 'multipicklist' ? given.getAll(field.name).join(';') : (given.get(field.name) ?? '');
    // A form ends its lines in its own way.
    const text = now.replace(/\r\n/g, '\n');
    if (field.type === 'boolean' ? (text === 'true') !== (was === 'true') : text !== was.replace(/\r\n/g, '\n'))
      changed[field.name] = field.type === 'boolean' ? text === 'true' : text === '' ? null : text;
  }
  return changed;
}

function shown(row: Row, field: Field): string {
  const value = showField(row, field);
  return value === null || typeof value === 'object' ? '' : String(value);
}

function input(field: Field, was: string, typed: string | undefined, linked: Linked): string {
  const { name } = field;
  const value = typed ?? was;
  const attributes = `id="${name}" name="${name}"`;
  const before = `<input type="hidden" name="was.${name}" value="${escapeHtml(was)}">`;
  const target = field.type === 'reference' ? linked(was) : undefined;
  const aside = target ? `<small><a href="${target.href}">${escapeHtml(target.name)}</a></small>` : '';
  return `<div class="field"><label for="${name}">${escapeHtml(field.label)}${field.isRequired ? ' *' : ''}</label><span>${control(field, attributes, value)}${aside}${before}</span></div>`;
}

function control(field: Field, attributes: string, value: string): string {
  const escaped = escapeHtml(value);
  switch (field.type) {
    case 'boolean':
      return `<input type="checkbox" ${attributes} value="true"${value === 'true' ? ' checked' : ''}>`;
    case 'picklist':
    case 'multipicklist': {
      const chosen = field.type === 'multipicklist' ? value.split(';') : [value];
      const listed = field.picklist.map((entry) => [entry.value, entry.label] as const);
      const others = chosen
        .filter((one) => one !== '' && !listed.some(([known]) => known === one))
        .map((one) => [one, one] as const);
      const options = [...listed, ...others].map(
        ([known, label]) =>
          `<option value="${escapeHtml(known)}"${chosen.includes(known) ? ' selected' : ''}>${escapeHtml(label)}</option>`,
      );
      if (field.type === 'multipicklist') return `<select multiple ${attributes}>${options.join('')}</select>`;
      return `<select ${attributes}><option value=""></option>${options.join('')}</select>`;
    }
    case 'textarea':
      return `<textarea ${attributes} rows="3">\n${escaped}</textarea>`;
    case 'date':
      return `<input type="date" ${attributes} value="${escaped}">`;
    case 'int':
    case 'double':
    case 'currency':
    case 'percent':
      return `<input type="text" inputmode="decimal" ${attributes} value="${escaped}">`;
    default:
      return `<input type="text" ${attributes} value="${escaped}">`;
  }
}
