import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/cli/command.ts';
import { COMMANDS } from '../../src/cli/commands.ts';
import { parseCommandLine } from '../../src/cli/parse.ts';

const parse = (...argv: string[]) => parseCommandLine(argv, '1.2.3');
const refusal = async (...argv: string[]) => {
  const error = await parse(...argv).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UsageError);
  return error as UsageError;
};

describe('the command line', () => {
  it('reads arguments and options under their declared names', async () => {
    expect(await parse('bot', 'create', 'acme', '--profile', 'sync', '--json')).toMatchObject({
      args: ['acme'],
      options: { profile: 'sync' },
    });
    expect(await parse('grant', 'acme', 'RUN_SOQL', 'CREATE_LEAD', '--revoke')).toMatchObject({
      args: ['acme', ['RUN_SOQL', 'CREATE_LEAD']],
      options: { revoke: true },
    });
    expect(await parse('connect', 'acme', '--flow', 'web', '--login-url', 'https://x.example')).toMatchObject({
      options: { flow: 'web', loginUrl: 'https://x.example', sandbox: false, username: undefined },
    });
  });

  it('takes --json before the command as well', async () => {
    expect(await parse('--json', 'status', 'acme')).toMatchObject({ args: ['acme'] });
  });

  it('tells --policy and --no-policy apart', async () => {
    expect(await parse('soql', 'check', '--policy', 'p.json')).toMatchObject({
      options: { policy: 'p.json', noPolicy: false },
    });
    expect(await parse('soql', 'check', '--no-policy')).toMatchObject({
      options: { policy: undefined, noPolicy: true },
    });
    expect(await parse('soql', 'check')).toMatchObject({ options: { policy: undefined, noPolicy: false } });
    for (const both of [
      ['--policy', 'p.json', '--no-policy'],
      ['--no-policy', '--policy=p.json'],
    ])
      expect((await refusal('soql', 'check', ...both)).message).toMatch(/--policy and --no-policy exclude each other/);
  });

  it.each([
    [['serv'], /unknown command 'serv'/i, /Did you mean serve\?/],
    [['bot', 'creat', 'x'], /unknown command 'creat'/i, /Did you mean create\?/],
    [['bot'], /Say which command/, /gatehouse bot --help/],
    [['status', 'acme', '--jsno'], /unknown option '--jsno'/i, /Did you mean --json\?/],
    [['status'], /missing required argument 'bot'/i, /gatehouse status --help/],
    [['status', 'a', 'b'], /too many arguments/i, /gatehouse status --help/],
    [['mcp'], /required option '--bot <name>' not specified/i, /gatehouse mcp --help/],
    [['bot', 'create', 'x', '--profile', 'everything'], /Allowed choices are public, internal/i, /--help/],
    [['--verbose'], /unknown option '--verbose'/i, /gatehouse --help/],
    [['__proto__'], /unknown command/i, /gatehouse --help/],
  ])('refuses %j and says what to do', async (argv, message, next) => {
    const { message: said, next: then } = await refusal(...argv);
    expect(said).toMatch(message);
    expect(then).toMatch(next);
  });

  it('lists every command in the help', async () => {
    const parsed = await parse();
    const help = 'help' in parsed ? parsed.help : '';
    for (const { name } of COMMANDS) expect(help).toContain(name.split(' ')[0]);
    expect(await parse('--help')).toEqual(parsed);
    expect(await parse('help', '--json')).toEqual(parsed);
    expect(await parse('--version', '--json')).toEqual({ version: '1.2.3' });
    expect(await parse('--version')).toEqual({ version: '1.2.3' });
  });

  it.each(COMMANDS.map(({ name }) => name))('has help for "%s" that names --json', async (name) => {
    const parsed = await parse(...name.split(' '), '--help');
    expect('help' in parsed && parsed.help).toContain(`Usage: gatehouse ${name}`);
    expect('help' in parsed && parsed.help).toContain('--json');
  });
});
