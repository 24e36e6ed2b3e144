import type { Logger } from 'pino';
import type { Config } from '../ports/config.ts';
import type { Log } from '../ports/log.ts';

// A careless line must show nothing: whatever is named like a secret is cut, at the top and one level down.
const SECRET_NAMES = [
  'accessToken',
  'access_token',
  'refreshToken',
  'refresh_token',
  'authorization',
  'client_secret',
  'clientSecret',
  'code_verifier',
  'verifier',
  'assertion',
  'password',
  'secret',
  'key',
  'token',
  'cookie',
];

export function createLog(level: Config['logLevel']): Log {
  // Loaded by the first line there is: a quiet start does not wait for it. Lines keep their order.
  let writing: Promise<Logger> | undefined;
  const write =
    (at: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}) => {
      if (RANK[at] < RANK[level]) return;
      writing ??= open(level);
      void writing.then((lines) => lines[at](fields, message));
    };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

const RANK = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 } as const satisfies Record<Config['logLevel'], number>;

async function open(level: Config['logLevel']): Promise<Logger> {
  // The default export is what both Node and the bundle agree on for this CommonJS package.
  const { default: pino } = await import('pino');
  const lines = pino.destination({ fd: 2, sync: true });
  // A log that cannot be written (its disk is full, its reader left) must not end the process that writes it.
  lines.on('error', () => {});
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: SECRET_NAMES.flatMap((name) => [name, `*.${name}`]), censor: '[redacted]' },
      formatters: { level: (label) => ({ level: label }) },
    },
    lines,
  );
}
