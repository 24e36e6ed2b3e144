/**
 * The org as a colleague sees it in the browser: its records at their links, to look at and to change. What is saved goes
 * through the same checks as any write, bears the time of now and is told to who listens.
 */
import { escapeHtml, type Incoming, isForeign, type Outgoing } from '../http.ts';
import { parseId } from '../ids.ts';
import { userNamed } from '../oauth/app.ts';
import type { Org } from '../org.ts';
import { noteChange } from '../outbound/queue.ts';
import { createRecord, deleteRecord, updateRecord } from '../records/writer.ts';
import type { Writer } from '../records/writer-form.ts';
import { Refusal } from '../refusal.ts';
import type { ObjectType } from '../schema/object.ts';
import type { Row } from '../table.ts';
import { changedFields, recordForm } from './form.ts';
import { type Crumb, framed } from './frame.ts';

/** Paths that people open; all others are the API's. */
export const isPage = (pathname: string): boolean =>
  /^\/(?:o\/\w+(?:\/new)?|[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?)?$/.test(pathname);

/** `base` is where these pages are mounted: nothing where the org is served by itself. */
export function pages(org: Org, incoming: Incoming, base: string): Outgoing {
  if (!incoming.isLoopback)
    return framed(403, 'On this machine only', [], '<p>The simulated org shows itself on the machine it runs on.</p>');
  const { method, url } = incoming;
  if (method === 'POST' && isForeign(incoming))
    return framed(403, 'Not from another page', [], '<p>Open the record here and save it here.</p>');
  const home: Crumb = { href: `${base}/`, text: 'Simulated org' };
  const [, first = '', name = '', last] = url.pathname.split('/');
  if (first === '') return front(org, base);
  const id = first === 'o' ? undefined : parseId(first);
  const object = id === undefined ? org.schema.object(name) : org.schema.ofId(id);
  if (!object) return missing(home);
  const list: Crumb = { href: `${base}/o/${object.name}`, text: object.labelPlural };
  const view: View = { org, object, base, crumbs: [home, list] };
  if (id === undefined && last !== 'new') return listOf(view);
  const row = id === undefined ? undefined : org.row(object.name, id);
  if (id !== undefined && (!row || row.IsDeleted)) return missing(home);
  return method === 'POST' ? save(view, row, new URLSearchParams(incoming.text)) : record(view, row, url.searchParams);
}

interface View {
  readonly org: Org;
  readonly object: ObjectType;
  readonly base: string;
  readonly crumbs: readonly Crumb[];
}

/** A browser says where a form comes from; only a program on this machine says nothing. */
function missing(home: Crumb): Outgoing {
  return framed(
    404,
    'There is no such record',
    [home],
    '<p>It was deleted, or the org has begun anew since the link was made.</p>',
  );
}

function front(org: Org, base: string): Outgoing {
  const rows = org.schema.objects
    .map((object) => ({ object, count: [...org.table(object.name).all()].filter((row) => !row.IsDeleted).length }))
    .map(
      ({ object, count }) =>
        `<tr><td><a href="${base}/o/${object.name}">${escapeHtml(object.labelPlural)}</a></td><td class="number">${count}</td></tr>`,
    );
  const hint =
    base === ''
      ? '<p class="note">To connect: client id <code>sim</code>, secret <code>sim</code>; users <code>admin@sim.example</code> and <code>limited@sim.example</code>, password <code>sim</code>.</p>'
      : '';
  const body = `<p>A Salesforce org for trying things out. Change a record here as a colleague would, and see what Gatehouse makes of it.</p>
<div class="card"><table><thead><tr><th scope="col">Object</th><th scope="col" class="number">Records</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>
${hint}`;
  return framed(200, 'Simulated org', [], body);
}

const shownRows = 200;

function listOf({ org, object, base, crumbs }: View): Outgoing {
  const alive = [...org.table(object.name).all()].filter((row) => !row.IsDeleted);
  const newest = alive.sort((a, b) => (a.SystemModstamp < b.SystemModstamp ? 1 : -1)).slice(0, shownRows);
  const rows = newest.map(
    (row) =>
      `<tr><td><a href="${base}/${row.Id}">${escapeHtml(nameOf(object, row))}</a></td><td><small>${escapeHtml(about(object, row))}</small></td><td><small>${escapeHtml(row.SystemModstamp.slice(0, 16).replace('T', ' '))}</small></td></tr>`,
  );
  const create = object.isWritable
    ? `<p><a class="button" href="${base}/o/${object.name}/new">New ${escapeHtml(object.label.toLowerCase())}</a></p>`
    : '';
  const more = alive.length > shownRows ? `<p class="note">The ${shownRows} changed last, of ${alive.length}.</p>` : '';
  const table = `<table><thead><tr><th scope="col">Name</th><th scope="col">About</th><th scope="col">Changed (UTC)</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
  const body = rows.length > 0 ? `<div class="card">${table}</div>${more}` : '<p class="note">There are none.</p>';
  return framed(200, object.labelPlural, crumbs.slice(0, 1), create + body);
}

function record(
  view: View,
  row: Row | undefined,
  query: URLSearchParams,
  problem?: { text: string; given: URLSearchParams },
): Outgoing {
  const { org, object, base, crumbs } = view;
  const title = row ? nameOf(object, row) : `New ${object.label.toLowerCase()}`;
  const notice = problem
    ? `<p class="notice bad" role="alert">${escapeHtml(problem.text)}</p>`
    : query.has('saved')
      ? '<p class="notice good" role="status">Saved.</p>'
      : '';
  const linked = (id: string) => {
    const type = org.schema.ofId(id);
    const target = type && org.row(type.name, id);
    return type && target ? { href: `${base}/${id}`, name: nameOf(type, target) } : undefined;
  };
  return framed(problem ? 422 : 200, title, crumbs, notice + recordForm(object, row, linked, problem?.given));
}

function save(view: View, row: Row | undefined, given: URLSearchParams): Outgoing {
  const { org, object, base } = view;
  const writer = colleague(org);
  const mark = org.mark();
  try {
    if (row && given.has('delete')) {
      deleteRecord(writer, object, row.Id);
      return seeOther(`${base}/o/${object.name}`);
    }
    const fields = changedFields(object, given);
    const id = row?.Id ?? createRecord(writer, object, fields);
    if (row && Object.keys(fields).length > 0) updateRecord(writer, object, id, fields);
    return seeOther(`${base}/${id}?saved`);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    org.rollback(mark);
    const text = error.faults.map(({ message }) => message).join(' ');
    return record(view, row, new URLSearchParams(), { text, given });
  }
}

/** The administrator at the screen: the duplicate alert is seen and passed over, as people do. */
function colleague(org: Org): Writer {
  const { schema } = org;
  const userId = userNamed(org, 'admin@sim.example')?.Id ?? '';
  const afterSave: Writer['afterSave'] = (object, row) => noteChange(org, object, row);
  return { org, schema, userId, version: 'v66.0', allowsDuplicates: true, meetsLock: false, afterSave };
}

const seeOther = (location: string): Outgoing => ({
  status: 303,
  headers: { Location: location, 'Cache-Control': 'no-store' },
  text: '',
});

function nameOf(object: ObjectType, row: Row): string {
  const field = object.fields.find((one) => one.isNameField);
  return String((field && row[field.name]) || row.Id);
}

/** What tells two records of one name apart, as far as the object has it. */
function about(object: ObjectType, row: Row): string {
  const telling = ['StageName', 'Amount', 'Email', 'Company', 'Industry', 'BillingCity', 'Title', 'Subject', 'Status'];
  const values = telling.filter((name) => object.byName.has(name.toLowerCase())).map((name) => row[name]);
  return values
    .filter((value) => value !== undefined && value !== null)
    .slice(0, 3)
    .join(' · ');
}
