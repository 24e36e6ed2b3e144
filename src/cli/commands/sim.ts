import { GatehouseError } from '../../domain/errors.ts';
import type { SimSeed } from '../../sim/sim.ts';
import { defineCommand, UsageError } from '../command.ts';
import { readInput } from '../input.ts';
import { explainListen, toPort } from '../port.ts';
import { columns, indent } from '../terminal.ts';

export const command = defineCommand({
  options: {
    port: { value: 'number', about: 'port to listen on (default: any free one)' },
    seed: {
      value: 'file|stock',
      about: 'records to begin with, instead of the built-in company; stock: without our fields',
    },
    version: { value: 'vXX.0', about: 'newest API version that it speaks' },
  },

  async run({ options, terminal, untilStopped }) {
    const { version } = options;
    if (version !== undefined && !/^v\d\d\.0$/.test(version))
      throw new UsageError(`${JSON.stringify(version)} is not an API version.`, 'It looks like v66.0.');
    const stopped = untilStopped();
    const { serveSim } = await import('../../sim/server.ts');
    const named = options.seed;
    const seed = named === undefined || named === 'stock' ? named : parseSeed(await readInput(named));
    const at = { host: '127.0.0.1', port: toPort(options.port) ?? 0 };
    const sim = await serveSim({
      ...at,
      ...(version === undefined ? {} : { version }),
      ...(seed === undefined ? {} : { seed }),
    }).catch((error: unknown) => {
      throw seed === undefined ? explainListen(error, at) : explainSeed(error, at);
    });
    terminal.print(
      { url: sim.url, clientId: 'sim', clientSecret: 'sim', users: ['admin@sim.example', 'limited@sim.example'] },
      [
        `The simulated Salesforce org answers at ${sim.url}`,
        '',
        indent(
          columns([
            ['client id', 'sim'],
            ['client secret', 'sim'],
            ['users', 'admin@sim.example, limited@sim.example'],
            ['control', `${sim.url}/_sim/`],
          ]),
        ),
        '',
        'Point Gatehouse at it, in another terminal:',
        `  export SALESFORCE_CLIENT_ID=sim SALESFORCE_CLIENT_SECRET=sim SALESFORCE_LOGIN_URL=${sim.url} SALESFORCE_EXTRA_HOSTS=${new URL(sim.url).host}`,
      ].join('\n'),
    );
    await stopped;
    await sim.close();
  },
});

function parseSeed(text: string): SimSeed {
  try {
    // Planting it checks every object and field by name.
    return JSON.parse(text) as SimSeed;
  } catch (error) {
    throw badSeed(error);
  }
}

function explainSeed(error: unknown, at: { readonly host: string; readonly port: number }): unknown {
  const explained = explainListen(error, at);
  return explained === error ? badSeed(error) : explained;
}

function badSeed(error: unknown): GatehouseError {
  return new GatehouseError('invalid_input', 'The seed file cannot be used.', {
    next: `Correct it: ${error instanceof Error ? error.message : 'it is not a seed'}`,
    cause: error,
  });
}
