import { GatehouseError } from '../../domain/errors.ts';
import { isRecord } from '../../domain/is-record.ts';
import { parseJson } from '../../domain/json-shape.ts';
import type { CallPiece, Delta, Extra, Kept, ToolCall } from '../../ports/model.ts';
import { createThoughtFilter } from './thoughts.ts';

/** One answer of a model, put together from its chunks. */
export interface Completion {
  readonly text: string;
  /** Each with an id and a name that can go back on the wire. */
  readonly calls: readonly ToolCall[];
  readonly kept: Kept | undefined;
  /** Why the model ended, in the word of the endpoint. */
  readonly finish: string | undefined;
  /** The answer hit its length limit: the last call may be half written. */
  readonly isCut: boolean;
  /** Undefined where the server does not count. */
  readonly tokens: number | undefined;
}

export interface Accumulator {
  /** Answers the piece of text in it, to be shown at once, and whether the model is thinking. */
  add(delta: Delta): { readonly text: string; readonly isThinking: boolean };
  completion(): Completion;
}

interface Growing {
  readonly index: number | undefined;
  id: string;
  name: string;
  args: string;
  extra: Extra | undefined;
}

/**
 * Servers differ in how they stream calls: `index` left out, or 0 for all of them; the id sent once, in every chunk, a new one
 * per chunk, or never; the name repeated, or empty; arguments as an object; finish "stop", or none. So a call is over
 * when something says that another one begins, and what was asked for is what was sent, whatever the finish reason is.
 */
export function createAccumulator(newId: () => string): Accumulator {
  const calls: Growing[] = [];
  const thoughts = createThoughtFilter();
  let text = '';
  let kept: Kept | undefined;
  let finish: string | undefined;
  let tokens: number | undefined;

  const addPiece = (piece: CallPiece) => {
    const target = calls.findLast(({ index }) => piece.index == null || index === piece.index);
    const growing = target === undefined || beginsAnother(target, piece) ? begin(piece) : target;
    growing.id ||= piece.id ?? '';
    growing.name ||= piece.name ?? '';
    if (piece.extra !== undefined) growing.extra = merged(growing.extra ?? {}, piece.extra);
    if (typeof piece.args === 'string') growing.args += piece.args;
    else if (typeof piece.args === 'object' && piece.args !== null) growing.args = JSON.stringify(piece.args);
    if (growing.args.length > MOST_ARGS) throw tooLong();
  };

  const begin = (piece: CallPiece): Growing => {
    if (calls.length >= MOST_CALLS) throw tooMany();
    const growing = { index: piece.index ?? undefined, id: '', name: '', args: '', extra: undefined };
    calls.push(growing);
    return growing;
  };

  return {
    add(delta) {
      for (const piece of delta.calls ?? []) addPiece(piece);
      finish = delta.finish ?? finish;
      tokens = delta.tokens ?? tokens;
      if (delta.kept !== undefined) kept = { ...delta.kept, extra: joined(kept?.extra ?? {}, delta.kept.extra) };
      const said = thoughts.add(delta.text ?? '');
      text += said;
      return { text: said, isThinking: delta.thought !== undefined || (said === '' && thoughts.hasThought) };
    },

    completion() {
      const seen = new Set<string>();
      const whole = calls
        .filter(({ name, args }) => name !== '' || args !== '')
        .map(({ id, name, args, extra }) => {
          const own = id === '' || seen.has(id) ? newId() : id;
          seen.add(own);
          return {
            id: own,
            name: name.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 64) || 'unnamed',
            args,
            ...(extra === undefined ? {} : { extra }),
          };
        });
      text += thoughts.end();
      return { text: text.slice(thoughts.from), calls: whole, kept, finish, isCut: finish === 'length', tokens };
    },
  };
}

/** Far more than anybody could follow, and each piece looks for its own among them. */
const MOST_CALLS = 200;
/** Characters of the arguments of one call: no action takes more, and each later turn reads them anew. */
const MOST_ARGS = 256_000;
/** Most characters that are kept of one key: a signature is some thousands. */
const MOST_KEPT = 200_000;
/** Keys of one object that are kept: each piece copies them, and a server that makes up new ones would hold the loop (K4). */
const MOST_KEYS = 100;

/** Keys of a message come in pieces: texts and lists grow. */
function joined(a: Extra, b: Extra): Extra {
  const all: Record<string, unknown> = { ...a };
  for (const [key, value] of keptOf(all, b)) {
    const known = Object.hasOwn(all, key) ? all[key] : undefined;
    if (typeof known === 'string' && typeof value === 'string')
      all[key] = known.length < MOST_KEPT ? (known + value).slice(0, MOST_KEPT) : known;
    else if (Array.isArray(known) && Array.isArray(value)) all[key] = [...known, ...value].slice(0, 1000);
    else all[key] = merged({ [key]: known }, { [key]: value })[key];
  }
  return all;
}

/** Keys of a call come whole, perhaps again and again: the last one holds. */
function merged(a: Extra, b: Extra): Extra {
  const all: Record<string, unknown> = { ...a };
  for (const [key, value] of keptOf(all, b)) {
    const known = Object.hasOwn(all, key) ? all[key] : undefined;
    all[key] = isRecord(known) && isRecord(value) ? merged(known, value) : (value ?? known);
  }
  return all;
}

function keptOf(all: Extra, b: Extra): readonly (readonly [string, unknown])[] {
  const entries = Object.entries(b);
  const room = MOST_KEYS - Object.keys(all).length;
  const added = new Set(
    entries
      .map(([key]) => key)
      .filter((key) => !Object.hasOwn(all, key))
      .slice(0, Math.max(0, room)),
  );
  return entries.filter(([key]) => added.has(key) || Object.hasOwn(all, key));
}

function tooMany(): GatehouseError {
  return new GatehouseError(
    'limit_reached',
    'The language model asked for more calls at once than anybody could follow.',
    {
      next: 'Ask for less at a time. What was done until here is done.',
    },
  );
}

function tooLong(): GatehouseError {
  return new GatehouseError('limit_reached', 'The language model called an action with more than any of them takes.', {
    next: 'Ask for less at a time. What was done until here is done.',
  });
}

/** A name comes with the first piece of a call; without one, a new id is only a server's carelessness. */
function beginsAnother(target: Growing, { id, name }: CallPiece): boolean {
  if (!name || target.name === '') return false;
  if (id && target.id !== '') return id !== target.id;
  return name !== target.name || isWholeObject(target.args);
}

function isWholeObject(text: string): boolean {
  if (!text.trimEnd().endsWith('}')) return false;
  try {
    parseJson(text);
    return true;
  } catch {
    return false;
  }
}
