import { createInterface } from 'node:readline';

/** What the person types, line by line: from a keyboard, or from a pipe. */
export interface Lines {
  /** Somebody types: a card may be answered here. */
  readonly isPerson: boolean;
  /** The next line, in order; undefined when there are no more. */
  next(prompt: string): Promise<string | undefined>;
  /** An answer to this question alone: a line that was typed before it was asked is no answer. */
  answer(question: string): Promise<string | undefined>;
  /** Ctrl-C. */
  onInterrupt(act: () => void): void;
  close(): void;
}

export function openLines(): Lines {
  const isPerson = process.stdin.isTTY === true && process.stdout.isTTY === true;
  const reader = createInterface({ input: process.stdin, ...(isPerson ? { output: process.stdout } : {}) });
  const early: string[] = [];
  let isOver = false;
  let wanted: ((line: string | undefined) => void) | undefined;
  const give = (line: string | undefined) => {
    const to = wanted;
    wanted = undefined;
    to?.(line);
  };
  reader.on('line', (line) => (wanted === undefined ? early.push(line) : give(line)));
  reader.on('close', () => {
    isOver = true;
    give(undefined);
  });
  const ask = (prompt: string) =>
    new Promise<string | undefined>((resolve) => {
      if (isOver) return resolve(undefined);
      wanted = resolve;
      if (!isPerson) return;
      reader.setPrompt(prompt);
      reader.prompt();
    });
  return {
    isPerson,
    next: async (prompt) => early.shift() ?? ask(prompt),
    answer: ask,
    onInterrupt(act) {
      // The keyboard's Ctrl-C comes from the reader, a signal from outside from the process.
      reader.on('SIGINT', act);
      process.on('SIGINT', act);
    },
    close: () => reader.close(),
  };
}
