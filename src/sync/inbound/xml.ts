import { breathe } from '../../domain/breath.ts';

/**
 * A strict reader for the one kind of XML we take in: small, namespaced, without DTDs. A DOCTYPE, a processing
 * instruction other than the XML declaration, an unknown entity or an unbalanced tag stops it: what is not understood is
 * refused, so no entity can expand and nothing is fetched. Each character is looked at a fixed number of times, whatever the
 * document says, with a breath after every few thousand: whoever may send one must not be able to hold the process.
 */
export interface XmlElement {
  readonly namespace: string;
  readonly name: string;
  /** Attribute values by `{namespace}name`, or by plain name where unprefixed. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

export class XmlProblem extends Error {}

const MOST_DEPTH = 32;
const MOST_ELEMENTS = 100_000;
const MOST_ATTRIBUTES = 50;
/** Prefixes that one document gives a meaning to, however often: a message declares its own in each of 100 records. */
const MOST_PREFIXES = 50;
const MOST_TAG = 8_192;
/** Characters between two breaths: some milliseconds, whatever they are. */
const A_TURN = 10_000;
const LONGEST_ENTITY = 12;

interface Open {
  readonly qualified: string;
  /** Prefixes that this tag declares, undone when it closes. */
  readonly declared: readonly string[];
  readonly namespace: string;
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: XmlElement[];
  readonly texts: string[];
}

export async function readXml(source: string): Promise<XmlElement> {
  const text = source.replace(/^\uFEFF/, '');
  const scope = createScope();
  const stack: Open[] = [];
  let root: XmlElement | undefined;
  let at = 0;
  let count = 0;
  let rested = 0;
  let next = -1;

  const fail = (what: string): never => {
    throw new XmlProblem(`${what} at character ${at}`);
  };
  const close = ({ namespace, name, attributes, children, texts, declared }: Open) => {
    scope.leave(declared);
    const element: XmlElement = { namespace, name, attributes, children, text: texts.join('') };
    const parent = stack.at(-1);
    if (parent) parent.children.push(element);
    else root = element;
  };
  const addText = (part: string) => {
    const open = stack.at(-1);
    if (open) open.texts.push(part);
    else if (part.trim()) fail('text outside the root element');
  };

  // No store keeps a NUL, and Salesforce would send what fails for a day.
  for (let unit = 0; unit < text.length; unit++)
    if (text.charCodeAt(unit) < 32 && !isCharacter(text.charCodeAt(unit))) fail('a character that no XML may hold');

  while (at < text.length) {
    if (at - rested > A_TURN) {
      await breathe();
      rested = at;
    }
    if (next < at) next = text.indexOf('<', at);
    if (next < 0) next = text.length;
    if (next !== at) {
      const end = next - at > A_TURN ? beforeEntity(text, at + A_TURN) : next;
      addText(decode(text.slice(at, end), fail));
      at = end;
      continue;
    }
    if (text.startsWith('<!--', at)) at = after('-->', at + 4);
    else if (text.startsWith('<![CDATA[', at)) {
      const end = after(']]>', at + 9);
      addText(text.slice(at + 9, end - 3));
      at = end;
    } else if (text.startsWith('<?xml', at) && at === 0) at = after('?>', at);
    else if (text.startsWith('</', at)) {
      const end = after('>', at);
      const open = stack.pop() ?? fail('a closing tag without an opening one');
      if (text.slice(at + 2, end - 1).trim() !== open.qualified) fail(`</${open.qualified}> expected`);
      close(open);
      at = end;
    } else {
      if (root) fail('a second root element');
      if (++count > MOST_ELEMENTS) fail('too many elements');
      const tag =
        TAG.exec(text.slice(at, at + MOST_TAG)) ?? fail('not a tag (document types and instructions are refused)');
      const open = openTag(tag[1] ?? '', tag[2] ?? '', scope, fail);
      at += tag[0].length;
      if (tag[3]) close(open);
      else if (stack.push(open) > MOST_DEPTH) fail('nested too deep');
    }
  }
  if (stack.length > 0) fail('the document ends inside an element');
  return root ?? fail('no element');

  function after(mark: string, from: number): number {
    const end = text.indexOf(mark, from);
    return end < 0 ? fail(`${mark} is missing`) : end + mark.length;
  }
}

const NAME = '[A-Za-z_][\\w.-]*(?::[A-Za-z_][\\w.-]*)?';
const VALUE = `"[^"<]*"|'[^'<]*'`;
const TAG = new RegExp(`^<(${NAME})((?:\\s+${NAME}\\s*=\\s*(?:${VALUE}))*)\\s*(/?)>`);
const ATTRIBUTE = new RegExp(`(${NAME})\\s*=\\s*(${VALUE})`, 'g');

type Fail = (what: string) => never;

/** What each prefix means here: one list for the document, grown and shrunk at the tags that declare, copied nowhere. */
function createScope() {
  const meanings = new Map<string, string[]>([['xml', ['http://www.w3.org/XML/1998/namespace']]]);
  return {
    find: (prefix: string): string | undefined => meanings.get(prefix)?.at(-1),
    enter(prefix: string, namespace: string, fail: Fail): void {
      const before = meanings.get(prefix);
      if (before) before.push(namespace);
      else if (meanings.size > MOST_PREFIXES) fail('too many namespace prefixes');
      else meanings.set(prefix, [namespace]);
    },
    leave(declared: readonly string[]): void {
      for (const prefix of declared) meanings.get(prefix)?.pop();
    },
  };
}

type XmlScope = ReturnType<typeof createScope>;

function openTag(qualified: string, rest: string, scope: XmlScope, fail: Fail): Open {
  const given = [...rest.matchAll(ATTRIBUTE)].map(
    ([, name = '', quoted = '']) => [name, decode(quoted.slice(1, -1), fail)] as const,
  );
  if (given.length > MOST_ATTRIBUTES) fail('too many attributes');
  const declared: string[] = [];
  for (const [name, value] of given) {
    const prefix = name === 'xmlns' ? '' : name.startsWith('xmlns:') ? name.slice(6) : undefined;
    if (prefix === undefined) continue;
    if (declared.includes(prefix)) fail(`attribute ${name} twice`);
    scope.enter(prefix, value, fail);
    declared.push(prefix);
  }
  const meaningOf = (prefix: string) => scope.find(prefix) ?? fail(`unknown prefix ${prefix}`);
  const attributes = new Map<string, string>();
  for (const [name, value] of given) {
    if (name === 'xmlns' || name.startsWith('xmlns:')) continue;
    const [prefix, local] = split(name);
    const key = prefix === undefined ? name : `{${meaningOf(prefix)}}${local}`;
    if (attributes.has(key)) fail(`attribute ${name} twice`);
    attributes.set(key, value);
  }
  const [prefix, name] = split(qualified);
  const namespace = prefix === undefined ? (scope.find('') ?? '') : meaningOf(prefix);
  return { qualified, declared, namespace, name, attributes, children: [], texts: [] };
}

function split(qualified: string): readonly [string | undefined, string] {
  const colon = qualified.indexOf(':');
  return colon < 0 ? [undefined, qualified] : [qualified.slice(0, colon), qualified.slice(colon + 1)];
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
]);

function decode(text: string, fail: Fail): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(?:([^;&\s]{0,10});)?/g, (_, name: string | undefined) =>
    character(name ?? fail('a bare &'), fail),
  );
}

/** Here, or where the entity begins that this would cut in two. */
function beforeEntity(text: string, end: number): number {
  const mark = text.lastIndexOf('&', end);
  return mark > end - LONGEST_ENTITY ? mark : end;
}

function character(name: string, fail: Fail): string {
  const code = /^#x([0-9a-f]{1,6})$/i.exec(name)?.[1];
  const point = code === undefined ? Number(/^#(\d{1,7})$/.exec(name)?.[1] ?? Number.NaN) : Number.parseInt(code, 16);
  if (Number.isNaN(point)) return ENTITIES.get(name) ?? fail(`unknown entity &${name};`);
  return isCharacter(point) ? String.fromCodePoint(point) : fail(`not a character: &${name};`);
}

function isCharacter(point: number): boolean {
  return (
    point === 9 ||
    point === 10 ||
    point === 13 ||
    (point >= 32 && point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff))
  );
}
