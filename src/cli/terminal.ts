import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { styleText } from 'node:util';
import type { ErrorBody } from '../domain/errors.ts';

/** What a command says and asks. Results go to standard output; everything else (notes, questions, errors) to standard error. */
export interface Terminal {
  readonly isJson: boolean;
  /** Somebody is there to answer a question. */
  readonly canAsk: boolean;
  /** Standard output is a screen: what is printed there ends in no log file. */
  readonly isScreen: boolean;
  /** The result: the document with `--json`, else the text. */
  print(document: unknown, text: string): void;
  /** On the way to the result, for people only: nothing with `--json`. */
  say(text: string): void;
  /** The same, on standard error. */
  note(text: string): void;
  fail(body: ErrorBody): void;
  /** `isSecret` shows nothing of what is typed. */
  ask(question: string, options?: { readonly isSecret?: boolean }): Promise<string>;
  style(style: Style, text: string): string;
}

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** `inWords`: how commands are named to people. */
export function createTerminal(isJson: boolean, inWords: (text: string) => string = (text) => text): Terminal {
  // hasColors honours NO_COLOR and the like; a pipe has none.
  const hasColor = process.stdout.isTTY === true && process.stdout.hasColors();
  const style = (name: Style, text: string) => (hasColor ? styleText(name, text) : text);
  const print = (text: string) => process.stdout.write(`${inWords(text)}\n`);
  const complain = (text: string) => process.stderr.write(`${inWords(text)}\n`);
  return {
    isJson,
    canAsk: process.stdin.isTTY === true && process.stderr.isTTY === true,
    isScreen: process.stdout.isTTY === true,
    style,
    print: (document, text) => (isJson ? process.stdout.write(`${JSON.stringify(document, null, 2)}\n`) : print(text)),
    say: (text) => isJson || print(text),
    note: (text) => isJson || complain(text),
    fail(body) {
      if (isJson) {
        process.stderr.write(`${JSON.stringify(body, null, 2)}\n`);
        return;
      }
      const { message, next, fields = [], candidates = [], salesforce } = body.error;
      complain(`${style('red', 'Error:')} ${message}`);
      if (fields.length > 0) complain(indent(columns(fields.map(({ name, problem }) => [name, problem]))));
      if (candidates.length > 0)
        complain(indent(columns(candidates.map(({ id, name, hint }) => [id, name, hint ?? '']))));
      if (salesforce !== undefined) complain(indent(`Salesforce said (${salesforce.code}): ${salesforce.quote}`));
      complain(`${style('cyan', 'Next:')}  ${next}`);
    },
    ask: (question, { isSecret = false } = {}) => ask(question, isSecret),
  };
}

/** Rows in aligned columns. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>(
    (widest, row) => row.map((cell, at) => Math.max(cell.length, widest[at] ?? 0)),
    [],
  );
  return rows
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function indent(text: string, by = '  '): string {
  return text.replace(/^(?=.)/gm, by);
}

function ask(question: string, isSecret: boolean): Promise<string> {
  let isMuted = false;
  // readline echoes by writing to its output: a secret's output drops everything after the question.
  const output = new Writable({
    write(chunk, _, done) {
      if (!isMuted) process.stderr.write(chunk);
      done();
    },
  });
  const lines = createInterface({ input: process.stdin, output, terminal: true });
  return new Promise((resolve, reject) => {
    lines.on('SIGINT', () => {
      lines.close();
      reject(new Error('interrupted'));
    });
    lines.question(question, (answer) => {
      lines.close();
      if (isSecret) process.stderr.write('\n');
      resolve(answer.trim());
    });
    isMuted = isSecret;
  });
}
