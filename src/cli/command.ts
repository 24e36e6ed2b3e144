import type { App } from '../app/app.ts';
import type { Config } from '../ports/config.ts';
import type { Terminal } from './terminal.ts';

/** One command of the program: its arguments and options as data, and what it does. One file each. */
export interface Command<A extends readonly string[] = readonly string[], O extends Options = Options> {
  /** `<name>` must be there, `[file]` may be, `<permission...>` takes the rest. */
  readonly args?: A;
  /** By camelCase name; `loginUrl` is `--login-url`. Every command takes `--json` besides. */
  readonly options?: O;
  run(call: CommandCall<A, O>): Promise<void>;
}

export type Options = Readonly<Record<string, Option>>;

export interface Option {
  readonly about: string;
  /** What stands for the value in the help; an option without one is a switch. */
  readonly value?: string;
  readonly choices?: readonly string[];
  readonly required?: true;
}

export interface CommandCall<A extends readonly string[] = readonly string[], O extends Options = Options> {
  readonly args: { readonly [I in keyof A]: ArgumentValue<A[I]> };
  readonly options: { readonly [K in keyof O]: OptionValue<O[K]> };
  readonly config: Config;
  readonly terminal: Terminal;
  /** Opens the house; it is closed when the command ends. */
  openApp(config?: Config): Promise<App>;
  /** Resolves at SIGINT or SIGTERM. */
  untilStopped(): Promise<void>;
}

type ArgumentValue<T> = T extends `${string}...${string}`
  ? readonly string[]
  : T extends `[${string}`
    ? string | undefined
    : string;

type OptionValue<T extends Option> = T extends { readonly value: string }
  ? T extends { readonly required: true }
    ? Chosen<T>
    : Chosen<T> | undefined
  : boolean;

type Chosen<T extends Option> = T extends { readonly choices: readonly (infer C)[] } ? C : string;

export function defineCommand<const A extends readonly string[], const O extends Options>(
  command: Command<A, O>,
): Command<A, O> {
  return command;
}

/** Exit code 2: the command line itself is wrong. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly next: string;

  constructor(message: string, next: string) {
    super(message);
    this.next = next;
  }
}
