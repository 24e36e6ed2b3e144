import { clauseOrder, type Hint, hintFor, refusal } from './hints.ts';
import { lex, type Token } from './lexer.ts';
import { SoqlRefusal } from './refusal.ts';

const MAX_DEPTH = 32;
const STEPS_PER_CHARACTER = 12;

/** Reads the tokens of one query in order. It counts its steps and refuses past a fixed multiple of the text's length. */
export class TokenReader {
  readonly source: string;
  /** Date literals, in upper case, that the org has beyond those every version has. */
  readonly dateLiterals: ReadonlySet<string>;
  /** The org's clock, for a ready rewrite of what it has no literal for. */
  readonly now: number | undefined;
  readonly #tokens: readonly Token[];
  readonly #fuel: number;
  #index = 0;
  #depth = 0;
  steps = 0;
  subQueries = 0;

  constructor(source: string, dateLiterals: ReadonlySet<string>, now?: number) {
    this.source = source;
    this.now = now;
    this.dateLiterals = dateLiterals;
    this.#tokens = lex(source);
    this.#fuel = 64 + STEPS_PER_CHARACTER * source.length;
  }

  get token(): Token {
    return this.peek(0);
  }

  get previousEnd(): number {
    return this.peek(-1).end;
  }

  /** Past either end there is only the end. */
  peek(ahead: number): Token {
    this.steps += 1;
    if (this.steps > this.#fuel) throw tooComplex();
    return (
      this.#tokens[this.#index + ahead] ?? { kind: 'end', start: this.source.length, end: this.source.length, key: '' }
    );
  }

  is(key: string): boolean {
    return this.token.key === key;
  }

  next(): Token {
    const token = this.token;
    this.#index += 1;
    return token;
  }

  take(key: string): boolean {
    if (this.token.key !== key) return false;
    this.#index += 1;
    return true;
  }

  expect(key: string): Token {
    if (this.token.key !== key) throw this.unexpected(key.toUpperCase());
    return this.next();
  }

  textOf(token: Token): string {
    return this.source.slice(token.start, token.end);
  }

  /** Reads something that may hold itself. */
  nest<T>(read: () => T): T {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) {
      throw new SoqlRefusal(
        'too_deep',
        this.token.start,
        `A query may nest ${MAX_DEPTH} levels.`,
        'Remove parentheses or ask in several queries.',
      );
    }
    const result = read();
    this.#depth -= 1;
    return result;
  }

  unexpected(expected: string): SoqlRefusal {
    const hint = this.#hint();
    if (hint !== undefined && hint !== clauseOrder) return refusal(this.token.start, hint);
    const rule = `Expected ${expected} here but ${this.#found()}.`;
    return new SoqlRefusal('syntax', this.token.start, rule, `Write ${expected} at this place.`);
  }

  expectEnd(): void {
    if (this.token.kind === 'end') return;
    const hint = this.#hint();
    if (hint !== undefined) throw refusal(this.token.start, hint);
    const rule = `The query should be over here but ${this.#found()}.`;
    throw new SoqlRefusal(
      'syntax',
      this.token.start,
      rule,
      'Remove this and what follows, or join conditions with AND or OR.',
    );
  }

  #hint(): Hint | undefined {
    return (this.token.kind === 'word' ? hintFor(this.token.key) : undefined) ?? this.#hintBefore();
  }

  #found(): string {
    const { token } = this;
    if (token.kind === 'end') return 'the query ends';
    return token.kind === 'string' ? 'found a text' : `found ${this.textOf(token).slice(0, 40)}`;
  }

  /** `FROM Account JOIN Contact`: the alias is where it went wrong, the next word is where it shows. */
  #hintBefore(): Hint | undefined {
    if (this.#index === 0) return undefined;
    const before = this.peek(-1);
    return before.kind === 'word' && sqlOnly.has(before.key) ? hintFor(before.key) : undefined;
  }
}

function tooComplex(): SoqlRefusal {
  return new SoqlRefusal('too_complex', 0, 'This query takes too long to read.', 'Ask a simpler question.');
}

const sqlOnly = new Set('join inner left right outer cross full on top distinct case between union'.split(' '));
