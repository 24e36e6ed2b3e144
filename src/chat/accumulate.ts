import type { CallPiece, Delta, ToolCall } from './model.ts';

/** One answer of a model, put together from its chunks. */
export interface Completion {
  readonly text: string;
  /** Each with an id and a name that can go back on the wire. */
  readonly calls: readonly ToolCall[];
  /** The answer hit its length limit: the last call may be half written. */
  readonly isCut: boolean;
  /** Undefined where the server does not count. */
  readonly tokens: number | undefined;
}

export interface Accumulator {
  /** Answers the piece of text in it, to be shown at once. */
  add(delta: Delta): string;
  completion(): Completion;
}

interface Growing {
  readonly index: number | undefined;
  id: string;
  name: string;
  args: string;
}

/**
 * Servers differ in how they stream calls: `index` left out, or 0 for all of them; the id sent once, in every chunk, a new one
 * per chunk, or never; the name repeated, or empty; arguments as an object; finish "stop", or none. So a call is over
 * when something says that another one begins, and what was asked for is what was sent, whatever the finish reason is.
 */
export function createAccumulator(newId: () => string): Accumulator {
  const calls: Growing[] = [];
  let text = '';
  let finish: string | undefined;
  let tokens: number | undefined;

  const addPiece = (piece: CallPiece) => {
    const target = calls.findLast(({ index }) => piece.index == null || index === piece.index);
    const growing = target === undefined || beginsAnother(target, piece) ? begin(piece) : target;
    growing.id ||= piece.id ?? '';
    growing.name ||= piece.name ?? '';
    if (typeof piece.args === 'string') growing.args += piece.args;
    else if (typeof piece.args === 'object' && piece.args !== null) growing.args = JSON.stringify(piece.args);
  };

  const begin = (piece: CallPiece): Growing => {
    const growing = { index: piece.index ?? undefined, id: '', name: '', args: '' };
    calls.push(growing);
    return growing;
  };

  return {
    add(delta) {
      for (const piece of delta.calls ?? []) addPiece(piece);
      finish = delta.finish ?? finish;
      tokens = delta.tokens ?? tokens;
      text += delta.text ?? '';
      return delta.text ?? '';
    },

    completion() {
      const seen = new Set<string>();
      const whole = calls
        .filter(({ name, args }) => name !== '' || args !== '')
        .map(({ id, name, args }) => {
          const own = id === '' || seen.has(id) ? newId() : id;
          seen.add(own);
          return { id: own, name: name.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 64) || 'unnamed', args };
        });
      return { text, calls: whole, isCut: finish === 'length', tokens };
    },
  };
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
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
