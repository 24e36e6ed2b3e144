import type { Read, Shape } from './read.ts';

/** Values of lists: what the API takes for what people see. */

type Entry = Shape['picklistValues'][number];

/** The value that is meant: itself, its spelling in another case, width or spacing, or its label. Undefined where the list does not know it. */
export function listedAs(field: Shape, given: string): Entry['value'] | undefined {
  const wanted = given.trim();
  const { exact, byValue, byLabel } = listOf(field.picklistValues);
  if (exact.has(wanted)) return wanted;
  // No value has as many letters, however one of them is written: what it looks like need not be known.
  if (wanted.length > MOST_LETTERS) return undefined;
  const look = looks(wanted);
  // Two values that look alike: nobody knows which is meant.
  return byValue.has(look) ? (byValue.get(look) ?? undefined) : (byLabel.get(look) ?? undefined);
}

/** A value and a label have at most 255 characters. https://help.salesforce.com/s/articleView?id=sf.picklist_limitations.htm */
const MOST_LETTERS = 1_000;

interface List {
  readonly exact: ReadonlySet<string>;
  /** Of every value, the inactive ones too. */
  readonly place: ReadonlyMap<string, number>;
  /** What the field takes, in words. */
  readonly shown: string;
  /** By looks; null where several look so. */
  readonly byValue: ReadonlyMap<string, string | null>;
  readonly byLabel: ReadonlyMap<string, string | null>;
}

const lists = new WeakMap<readonly Entry[], List>();

/** The active values of a list, found by a look-up each; made once for the describe that lists them. */
function listOf(entries: readonly Entry[]): List {
  const known = lists.get(entries);
  if (known !== undefined) return known;
  const active = entries.filter((entry) => entry.active);
  const list: List = {
    exact: new Set(active.map(({ value }) => value)),
    place: new Map(entries.map(({ value }, index) => [value, index])),
    shown: `${active
      .slice(0, 12)
      .map(({ value }) => value)
      .join(', ')}${active.length > 12 ? ' and others' : ''}`,
    byValue: byLooks(active, ({ value }) => value),
    byLabel: byLooks(active, ({ label }) => label),
  };
  lists.set(entries, list);
  return list;
}

function byLooks(entries: readonly Entry[], textOf: (entry: Entry) => string): Map<string, string | null> {
  const found = new Map<string, string | null>();
  for (const entry of entries) {
    const look = looks(textOf(entry));
    const other = found.get(look);
    found.set(look, other === undefined || other === entry.value ? entry.value : null);
  }
  return found;
}

/** As it looks to a person, who is asked about it: a wide letter or another kind of space is no other value. */
function looks(text: string): string {
  return text.normalize('NFKC').replace(/\s+/g, ' ').trim().toLowerCase();
}

export function readChoice(field: Shape, given: string): Read<string> {
  const value = listedAs(field, given);
  if (value !== undefined) return { value };
  return field.restrictedPicklist ? { problem: notListed(field) } : { value: given.trim() };
}

/** Several, separated by semicolons; by commas only where that can mean nothing else. */
export function readChoices(field: Shape, given: string): Read<string> {
  const parts = given.split(';').flatMap((part) => byCommas(field, part));
  const values: string[] = [];
  for (const part of parts) {
    if (typeof part !== 'string') return part;
    if (part.trim() === '') continue;
    const read = readChoice(field, part);
    if ('problem' in read) return read;
    values.push(read.value);
  }
  return { value: inOrder(field, values).join(';') };
}

/** As the org lists them, each once: Salesforce answers in its own order, whatever was sent. */
function inOrder({ picklistValues }: Shape, values: readonly string[]): string[] {
  const { place } = listOf(picklistValues);
  const at = (value: string) => place.get(value) ?? picklistValues.length;
  return [...new Set(values)].sort((a, b) => at(a) - at(b) || (a < b ? -1 : 1));
}

function byCommas(field: Shape, part: string): readonly (string | { readonly problem: string })[] {
  if (!part.includes(',') || listedAs(field, part) !== undefined) return [part];
  const pieces = part.split(',').filter((piece) => piece.trim() !== '');
  const known = pieces.filter((piece) => listedAs(field, piece) !== undefined);
  if (known.length === pieces.length) return pieces;
  return known.length === 0
    ? [part]
    : [{ problem: 'names listed and unlisted values: separate several with semicolons, "Red;Green"' }];
}

function notListed({ picklistValues }: Shape): string {
  const { exact, shown } = listOf(picklistValues);
  return exact.size === 0 ? 'is not in the list, which is empty' : `is not in the list; the field takes ${shown}`;
}
