/**
 * A strict reader for the one kind of XML we take in: small, namespaced, without DTDs. A DOCTYPE, a processing
 * instruction other than the XML declaration, an unknown entity or an unbalanced tag stops it: what is not understood is
 * refused, so no entity can expand and nothing is fetched.
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
const MOST_ELEMENTS = 200_000;

interface Open {
  readonly qualified: string;
  readonly scope: ReadonlyMap<string, string>;
  readonly namespace: string;
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: XmlElement[];
  text: string;
}

export function readXml(source: string): XmlElement {
  const text = source.replace(/^\uFEFF/, '');
  const stack: Open[] = [];
  let root: XmlElement | undefined;
  let at = 0;
  let count = 0;

  const fail = (what: string): never => {
    throw new XmlProblem(`${what} at character ${at}`);
  };
  const close = (open: Open) => {
    const { namespace, name, attributes, children } = open;
    const element: XmlElement = { namespace, name, attributes, children, text: open.text };
    const parent = stack.at(-1);
    if (parent) parent.children.push(element);
    else root = element;
  };
  const addText = (part: string) => {
    const open = stack.at(-1);
    if (open) open.text += part;
    else if (part.trim()) fail('text outside the root element');
  };

  while (at < text.length) {
    const next = text.indexOf('<', at);
    if (next !== at) {
      addText(decode(text.slice(at, next < 0 ? text.length : next), fail));
      at = next < 0 ? text.length : next;
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
        TAG.exec(text.slice(at, at + 8192)) ?? fail('not a tag (document types and instructions are refused)');
      const open = openTag(tag[1] ?? '', tag[2] ?? '', stack.at(-1)?.scope ?? NONE, fail);
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
const NONE: ReadonlyMap<string, string> = new Map([['xml', 'http://www.w3.org/XML/1998/namespace']]);

type Fail = (what: string) => never;

function openTag(qualified: string, rest: string, outer: ReadonlyMap<string, string>, fail: Fail): Open {
  const given = [...rest.matchAll(ATTRIBUTE)].map(
    ([, name = '', quoted = '']) => [name, decode(quoted.slice(1, -1), fail)] as const,
  );
  const scope = new Map(outer);
  for (const [name, value] of given) {
    if (name === 'xmlns') scope.set('', value);
    else if (name.startsWith('xmlns:')) scope.set(name.slice(6), value);
  }
  const attributes = new Map<string, string>();
  for (const [name, value] of given) {
    if (name === 'xmlns' || name.startsWith('xmlns:')) continue;
    const [prefix, local] = split(name);
    const key = prefix === undefined ? name : `{${scope.get(prefix) ?? fail(`unknown prefix ${prefix}`)}}${local}`;
    if (attributes.has(key)) fail(`attribute ${name} twice`);
    attributes.set(key, value);
  }
  const [prefix, name] = split(qualified);
  const namespace =
    prefix === undefined ? (scope.get('') ?? '') : (scope.get(prefix) ?? fail(`unknown prefix ${prefix}`));
  return { qualified, scope, namespace, name, attributes, children: [], text: '' };
}

function split(qualified: string): readonly [string | undefined, string] {
  const colon = qualified.indexOf(':');
  return colon < 0 ? [undefined, qualified] : [qualified.slice(0, colon), qualified.slice(colon + 1)];
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function decode(text: string, fail: Fail): string {
  if (!text.includes('&')) return text;
  return text.replace(/&([^;&\s]{0,10});?/g, (whole, name: string) => {
    if (!whole.endsWith(';')) fail('a bare &');
    const code = /^#x([0-9a-f]{1,6})$/i.exec(name)?.[1];
    const point = code === undefined ? Number(/^#(\d{1,7})$/.exec(name)?.[1] ?? Number.NaN) : Number.parseInt(code, 16);
    if (Number.isNaN(point)) return ENTITIES[name] ?? fail(`unknown entity &${name};`);
    return isCharacter(point) ? String.fromCodePoint(point) : fail(`not a character: &${name};`);
  });
}

function isCharacter(point: number): boolean {
  return (
    point === 9 ||
    point === 10 ||
    point === 13 ||
    (point >= 32 && point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff))
  );
}
