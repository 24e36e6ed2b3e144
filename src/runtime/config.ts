import { isIP } from 'node:net';
import { homedir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { GatehouseError } from '../domain/errors.ts';
import { inWords, problemsIn } from '../domain/validation.ts';
import type { Config } from '../ports/config.ts';

// zod compiles a parser for every schema at its first use; a start parses each once, so that costs more than it gains (F1).
z.config({ jitless: true });

const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)(:\d{1,5})?$/;
const hostsOf = (list: string) =>
  list
    .split(',')
    .map((host) => host.trim().toLowerCase())
    .filter(Boolean);

/** An address, or a network of a size that says whose it is: who trusts everybody believes whatever is sent. */
function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || address.includes('%') || more.length > 0) return false;
  return bits === undefined || (/^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32));
}

/** As a browser sends it: no path, no slash at the end, no default port. `null` and wildcards are none. */
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^\s/,*?#@]+$/;
const originsOf = (list: string) =>
  list
    .split(',')
    .map((origin) => origin.trim())
    .filter(Boolean);

/** Browsers normalize the origins of the web; one that they would never send is a mistake. */
function isRewritten(origin: string): boolean {
  return /^https?:/.test(origin) && !(URL.canParse(origin) && new URL(origin).origin === origin);
}

/** Links are made by adding paths to it, and it is printed. */
function isOwnAddress(address: string): boolean {
  const { username, password, pathname, search, hash } = new URL(address);
  return `${username}${password}${search}${hash}` === '' && /^\/*$/.test(pathname);
}

/** Digits alone: to Number() a space is 0, which would be any free port. */
const whole = (least: number, most: number) =>
  z.preprocess(
    (given) => (typeof given === 'string' && !/^\s*-?\d+(\.\d+)?\s*$/.test(given) ? Number.NaN : given),
    z.coerce.number().int().min(least).max(most),
  );

const text = z.string().trim().min(1).optional();
const environment = z.object({
  // Nobody but a shell knows ~; an "env" of an MCP client would get a folder of that name, and an empty Gatehouse in it.
  GATEHOUSE_DATA: text.refine((folder) => !/^~([/\\]|$)/.test(folder ?? ''), 'is written out, without ~'),
  GATEHOUSE_SECRET: z.string().min(16, 'needs at least 16 characters').optional(),
  GATEHOUSE_URL: z
    .url({ protocol: /^https?$/, abort: true })
    .refine(isOwnAddress, 'is an address alone, like https://gate.example: no path, user or query')
    .optional(),
  GATEHOUSE_ALLOWED_ORIGINS: z
    .string()
    .default('')
    .refine(
      (list) => originsOf(list).every((origin) => ORIGIN.test(origin) && !isRewritten(origin)),
      'lists exact origins as a browser sends them, like https://app.example or chrome-extension://ID, separated by commas: no path, no wildcard, no default port',
    ),
  GATEHOUSE_TRUSTED_PROXIES: z
    .string()
    .default('')
    .refine(
      (list) => hostsOf(list).every(isNetwork),
      'lists addresses or networks of your proxies, like 10.0.0.7, 10.1.0.0/16 or fd00::/64, separated by commas: no name, no port, and not everybody (/0)',
    ),
  HOST: text,
  PORT: whole(0, 65_535).default(3000),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must start with postgres:// or postgresql://')
    .optional(),
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, 'must start with redis:// or rediss://')
    .optional(),
  SALESFORCE_CLIENT_ID: text,
  SALESFORCE_CLIENT_SECRET: text,
  SALESFORCE_BOT_CLIENT_SECRET: text,
  SALESFORCE_LOGIN_URL: z.url({ protocol: /^https?$/ }).default('https://login.salesforce.com'),
  SALESFORCE_API_VERSION: z
    .string()
    .regex(/^v?\d{2,3}(\.0)?$/, 'looks like 66.0')
    .default('66.0'),
  SALESFORCE_EXTRA_HOSTS: z
    .string()
    .default('')
    .refine(
      (list) => hostsOf(list).every((host) => HOST.test(host)),
      'lists exact hosts, each a host or host:port, separated by commas: no wildcard, no https://, no path',
    ),
  SALESFORCE_PASSWORD: z.string().min(1).optional(),
  SALESFORCE_JWT_KEY_FILE: text,
  GATEHOUSE_PRINT_SIGN_IN: z.enum(['', '0', '1']).default(''),
  GATEHOUSE_SIM: z.enum(['', '0', '1']).default(''),
  GATEHOUSE_SIM_SEED: z.enum(['stock']).optional(),
  GATEHOUSE_ALLOW_PRIVATE_HOOKS: z.enum(['', '0', '1']).default(''),
  GATEHOUSE_ALLOW_PASSWORD: z.enum(['', '0', '1']).default(''),
  GATEHOUSE_BOT_KEY: text,
  GATEHOUSE_OPERATOR_KEY: text,
  GATEHOUSE_SESSION: text,
  OPENAI_API_KEY: text,
  OPENAI_BASE_URL: z.url({ protocol: /^https?$/ }).optional(),
  OPENAI_MODEL: text,
  GATEHOUSE_RETENTION_DAYS: whole(1, 3650).default(30),
  // Limits, charts and replays look 30 days back.
  GATEHOUSE_HISTORY_DAYS: whole(35, 3650).default(90),
  GATEHOUSE_REQUEST_TIMEOUT_MS: whole(100, 120_000).default(20_000),
  GATEHOUSE_LOG: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

/** Every variable that is read, in the order of the settings page. */
export const SETTINGS: readonly string[] = Object.keys(environment.shape);

const DAY_MS = 24 * 3_600_000;

/** Throws `config_invalid` naming every bad variable at once; never prints a value. */
export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  // An empty variable is an unset one: compose files and CI produce them.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = environment.safeParse(given, { error: inWords });
  if (!parsed.success) {
    const fields = problemsIn(parsed.error, '(environment)');
    throw new GatehouseError(
      'config_invalid',
      `The environment is not usable: ${fields.map((f) => f.name).join(', ')}.`,
      {
        next: fields.map((f) => `${f.name}: ${f.problem}`).join('; '),
        fields,
      },
    );
  }
  const e = parsed.data;
  return Object.freeze({
    dataDir: path.resolve(e.GATEHOUSE_DATA ?? defaultDataDir(env)),
    secret: e.GATEHOUSE_SECRET,
    url: e.GATEHOUSE_URL?.replace(/\/+$/, ''),
    host: e.HOST ?? '127.0.0.1',
    port: e.PORT,
    trustedProxies: hostsOf(e.GATEHOUSE_TRUSTED_PROXIES),
    allowedOrigins: originsOf(e.GATEHOUSE_ALLOWED_ORIGINS),
    databaseUrl: e.DATABASE_URL,
    redisUrl: e.REDIS_URL,
    salesforce: {
      clientId: e.SALESFORCE_CLIENT_ID,
      clientSecret: e.SALESFORCE_CLIENT_SECRET,
      botClientSecret: e.SALESFORCE_BOT_CLIENT_SECRET,
      loginUrl: new URL(e.SALESFORCE_LOGIN_URL).origin,
      apiVersion: `v${e.SALESFORCE_API_VERSION.replace(/^v/, '').replace(/\.0$/, '')}.0`,
      allowPassword: e.GATEHOUSE_ALLOW_PASSWORD === '1',
      password: e.SALESFORCE_PASSWORD,
      jwtKeyFile: e.SALESFORCE_JWT_KEY_FILE,
      extraHosts: hostsOf(e.SALESFORCE_EXTRA_HOSTS),
    },
    simulate: e.GATEHOUSE_SIM === '1',
    simSeed: e.GATEHOUSE_SIM_SEED,
    allowPrivateHooks: e.GATEHOUSE_ALLOW_PRIVATE_HOOKS === '1',
    printSignIn: e.GATEHOUSE_PRINT_SIGN_IN === '1',
    keys: { bot: e.GATEHOUSE_BOT_KEY, operator: e.GATEHOUSE_OPERATOR_KEY },
    session: e.GATEHOUSE_SESSION,
    openai: { apiKey: e.OPENAI_API_KEY, baseUrl: e.OPENAI_BASE_URL, model: e.OPENAI_MODEL },
    retentionMs: e.GATEHOUSE_RETENTION_DAYS * DAY_MS,
    // A proposal does not go before its values.
    historyMs: Math.max(e.GATEHOUSE_HISTORY_DAYS, e.GATEHOUSE_RETENTION_DAYS) * DAY_MS,
    requestTimeoutMs: e.GATEHOUSE_REQUEST_TIMEOUT_MS,
    logLevel: e.GATEHOUSE_LOG,
  });
}

/** The platform's per-user data folder, so that `npm start` and a server spawned by an MCP client share it. */
function defaultDataDir(env: Readonly<Record<string, string | undefined>>): string {
  const home = env.HOME || homedir();
  if (process.platform === 'darwin') return path.join(home, 'Library', 'Application Support', 'Gatehouse');
  if (process.platform === 'win32') return path.join(env.APPDATA || path.join(home, 'AppData', 'Roaming'), 'Gatehouse');
  return path.join(env.XDG_DATA_HOME || path.join(home, '.local', 'share'), 'gatehouse');
}
