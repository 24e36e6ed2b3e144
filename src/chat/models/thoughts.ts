/** Keeps a model's thoughts apart from what it says, where they come inside the text as `<think>…</think>`. Pure. */
export interface ThoughtFilter {
  /** What of this piece is said. */
  add(piece: string): string;
  /** What was held back at the end and turned out to be said. */
  end(): string;
  /** True once a thought began. */
  readonly hasThought: boolean;
  /** Where the said text really begins: some templates leave the opening tag out, so that only the closing one comes. */
  readonly from: number;
}

const OPEN = /^<(think|thinking|thought|reasoning)>/i;
const OPENINGS = ['<think>', '<thinking>', '<thought>', '<reasoning>'];
const CLOSE = /<\/(think|thinking|thought|reasoning)>\s*/i;
/** Longest tag, characters: as much may have to wait for its rest. */
const LONGEST = '</reasoning>'.length;
/** Blanks that may stand before an opening tag. */
const MOST_HELD = 10_000;

export function createThoughtFilter(): ThoughtFilter {
  let state: 'start' | 'thinking' | 'said' = 'start';
  let held = '';
  let said = 0;
  let from = 0;
  let hasThought = false;

  /** What is said up to the next tag; undefined where nothing of what is held can be told apart yet. */
  const step = (): string | undefined => {
    if (state === 'start') {
      const text = held.trimStart();
      const opening = OPEN.exec(text);
      if (opening !== null) {
        state = 'thinking';
        hasThought = true;
        held = text.slice(opening[0].length);
        return '';
      }
      // It may still become a tag.
      if (held.length < MOST_HELD && OPENINGS.some((tag) => tag.startsWith(text.toLowerCase()))) return undefined;
      state = 'said';
      // The blank lines after a thought belong to it.
      if (hasThought) held = text;
    }
    const closing = CLOSE.exec(held);
    if (state === 'thinking') {
      held = closing === null ? held.slice(-LONGEST) : held.slice(closing.index + closing[0].length);
      if (closing === null) return undefined;
      state = 'start';
      return '';
    }
    if (closing === null) {
      const tail = partOfTag(held);
      const text = held.slice(0, held.length - tail);
      held = held.slice(held.length - tail);
      said += text.length;
      return text === '' ? undefined : text;
    }
    const before = held.slice(0, closing.index);
    said += before.length;
    held = held.slice(closing.index + closing[0].length);
    if (!hasThought) {
      hasThought = true;
      from = said;
    }
    return before;
  };

  /** In a loop: thousands of tags in one piece are no reason to fail. */
  const take = (): string => {
    let all = '';
    for (let text = step(); text !== undefined; text = step()) all += text;
    return all;
  };

  return {
    add(piece) {
      held += piece;
      return take();
    },
    end() {
      const rest = state === 'thinking' ? '' : held;
      held = '';
      return rest;
    },
    get hasThought() {
      return hasThought;
    },
    get from() {
      return from;
    },
  };
}

/** How many characters at the end may be the beginning of a closing tag. */
function partOfTag(text: string): number {
  const at = text.lastIndexOf('<');
  if (at === -1 || text.length - at >= LONGEST) return 0;
  const tail = text.slice(at).toLowerCase();
  return OPENINGS.some((tag) => `</${tag.slice(1)}`.startsWith(tail)) ? tail.length : 0;
}
