import { Command as Commander, CommanderError, Option as CommanderOption } from 'commander';
import { type Command, type Options, UsageError } from './command.ts';
import { COMMANDS, type ListedCommand } from './commands.ts';

/** What the command line says: a command and its values, or a text to print. */
export type Parsed =
  | { readonly help: string }
  | { readonly version: string }
  | { readonly command: Command; readonly args: Values; readonly options: Values };

// Checked by commander against the command's own declaration, which is what its types are derived from.
// biome-ignore lint/suspicious/noExplicitAny: the one place where values parsed at run time get the declared types
type Values = any;

/** Throws UsageError, with the nearest name where there is one. */
export async function parseCommandLine(words: readonly string[], version: string): Promise<Parsed> {
  // `gatehouse --json status demo` means what it looks like.
  const argv = words[0] === '--json' ? [...words.slice(1), '--json'] : words;
  const listed = findCommand(argv);
  try {
    return listed === undefined ? { help: overview(argv, version) } : await parseFor(listed, argv);
  } catch (error) {
    if (error instanceof Help) return error.text.trim() === version ? { version } : { help: error.text };
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.help')
      throw new UsageError(
        'Say which command.',
        `See: gatehouse ${Object.hasOwn(GROUPS, argv[0] ?? '') ? `${argv[0]} ` : ''}--help`,
      );
    const [message = '', hint] = error.message.replace(/^error: /, '').split('\n');
    const help = `gatehouse ${listed === undefined ? '' : `${listed.name} `}--help`;
    throw new UsageError(
      `${message.charAt(0).toUpperCase()}${message.slice(1).replace(/\.$/, '')}.`,
      hint === undefined ? `See: ${help}` : `${hint.replace(/[()]/g, '')} See also: ${help}`,
    );
  }
}

function findCommand(argv: readonly string[]): ListedCommand | undefined {
  const [first = '', second = ''] = argv;
  return COMMANDS.find(({ name }) => name === first || name === `${first} ${second}`);
}

async function parseFor(listed: ListedCommand, argv: readonly string[]): Promise<Parsed> {
  const { command } = await listed.load();
  const parser = quiet(new Commander(`gatehouse ${listed.name}`)).description(listed.summary);
  for (const arg of command.args ?? []) parser.argument(arg);
  for (const option of toOptions(command.options ?? {})) parser.addOption(option);
  parser.option('--json', 'one JSON document on standard output and nothing else').allowExcessArguments(false);
  const words = argv.slice(listed.name.split(' ').length);
  refuseBoth(command.options ?? {}, words, `See: gatehouse ${listed.name} --help`);
  parser.parse(words, { from: 'user' });
  return { command, args: parser.processedArgs, options: valuesOf(command.options ?? {}, parser.opts()) };
}

/** `--policy FILE` and `--no-policy` are one option to commander, of which the last word would win in silence. */
function refuseBoth(options: Options, words: readonly string[], next: string): void {
  for (const option of toOptions(options)) {
    const { long } = option;
    if (!option.negate || long == null) continue;
    const plain = long.replace('--no-', '--');
    if (words.includes(long) && words.some((word) => word === plain || word.startsWith(`${plain}=`)))
      throw new UsageError(`${plain} and ${long} exclude each other.`, next);
  }
}

/** Commander leaves out a switch that is not set, and takes `--no-policy` for the option `policy` set to false. */
function valuesOf(options: Options, given: Readonly<Record<string, unknown>>): Values {
  return Object.fromEntries(
    Object.entries(options).map(([name, { value }]) => {
      const negated = name.replace(/^no([A-Z])/, (_, letter: string) => letter.toLowerCase());
      if (negated !== name) return [name, given[negated] === false];
      if (value === undefined) return [name, given[name] === true];
      return [name, given[name] === false ? undefined : given[name]];
    }),
  );
}

function toOptions(options: Options): CommanderOption[] {
  return Object.entries(options).map(([name, { about, value, choices, required }]) => {
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    const option = new CommanderOption(value === undefined ? flag : `${flag} <${value}>`, about);
    if (choices !== undefined) option.choices(choices);
    return option.makeOptionMandatory(required === true);
  });
}

/** No such command, a group's name alone, `--help` or `--version`: commander knows what to say, from the names alone. */
function overview(argv: readonly string[], version: string): string {
  const program = quiet(new Commander('gatehouse'))
    .description('The guarded door between a chatbot and Salesforce.')
    .version(version)
    .option('--json', 'one JSON document on standard output and nothing else');
  const groups = new Map<string, Commander>();
  for (const { name, summary } of COMMANDS) {
    const [first = '', second] = name.split(' ');
    const group = groups.get(first);
    const parent = second === undefined ? program : (group ?? quiet(program.command(first)));
    if (second !== undefined && group === undefined) groups.set(first, parent.summary(GROUPS[first] ?? ''));
    parent
      .command(second ?? first)
      .summary(summary)
      .action(() => undefined);
  }
  if (argv.length === 0) return program.helpInformation();
  program.parse(argv, { from: 'user' });
  return program.helpInformation();
}

const GROUPS: Readonly<Record<string, string>> = {
  bot: 'Make and list bots and their keys',
  operator: 'Make operators, and sign them in',
  policy: "Read and change a bot's policy",
  audit: 'What was decided, and the proof of it',
  soql: 'The query guard',
};

class Help extends Error {
  readonly text: string;

  constructor(text: string) {
    super('help');
    this.text = text;
  }
}

/** Commander neither prints nor exits: help comes back as a value, mistakes as CommanderError. */
function quiet(command: Commander): Commander {
  return command
    .exitOverride((error) => {
      throw error;
    })
    .configureOutput({
      writeOut: (text) => {
        throw new Help(text);
      },
      writeErr: () => undefined,
    });
}
