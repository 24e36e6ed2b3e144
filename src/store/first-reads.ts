import { type Policy, parsePolicy } from '../../permissions/policy.ts';
import { type Declared, declarationSchema } from '../domain/declaration.ts';
import { GatehouseError } from '../domain/errors.ts';
import type { Cipher } from '../ports/cipher.ts';
import type { BotRow, ConnectionRow, KeyRow, Store } from '../ports/store.ts';
import { openKind } from './secrets/connection-seal.ts';

/** Rows of a statement in SQL that both databases read alike; what is bound stands as `$1`, `$2` in the order of its use. */
export type All = <R>(sql: string, bound: readonly unknown[]) => Promise<R[]>;

/** What a start and a listing ask. In plain SQL, so that neither waits for Kysely to be loaded: 140 kB of a start (F1). */
export interface FirstReads {
  readonly bots: Pick<Store['bots'], 'get' | 'list'>;
  readonly connections: Pick<Store['connections'], 'get' | 'list'>;
  readonly keys: Pick<Store['keys'], 'byHash'>;
  readonly values: Pick<Store['values'], 'get'>;
}

/** `secrets` opens what is stored sealed; without it everything counts as it stands. */
export function createFirstReads(all: All, secrets?: Cipher): FirstReads {
  const opened = (row: ConnectionRow) => (secrets === undefined ? row : openKind(secrets, row));
  const readPolicy = createPolicyReader();
  const readDeclared = createDeclaredReader();
  const one = async <R>(sql: string, bound: readonly unknown[]): Promise<R | undefined> =>
    (await all<R>(sql, bound))[0];
  return {
    bots: {
      async get(name) {
        const row = await one<StoredBot>(`${BOTS} where name = $1`, [name]);
        return row === undefined ? undefined : toBot(row, readPolicy, readDeclared);
      },
      async list() {
        const rows = await all<StoredBot>(`${BOTS} order by "createdAt", name`, []);
        return rows.map((row) => toBot(row, readPolicy, readDeclared));
      },
    },
    connections: {
      async get(bot) {
        const row = await one<ConnectionRow>('select * from connections where bot = $1', [bot]);
        return row === undefined ? undefined : opened(row);
      },
      async list() {
        return (await all<ConnectionRow>('select * from connections order by "connectedAt", bot', [])).map(opened);
      },
    },
    keys: { byHash: (hash) => one<KeyRow>('select * from keys where hash = $1', [hash]) },
    values: {
      async get(kind, key, now) {
        const live = '("expiresAt" is null or "expiresAt" > $3)';
        const where = `kind = $1 and key = $2 and ${live}`;
        return (await one<{ value: string }>(`select value from "keptValues" where ${where}`, [kind, key, now]))?.value;
      },
    },
  };
}

/** The grants come in the same read: a call is judged by one moment, not two. */
const BOTS = `select *,
  (select string_agg(permission, ',' order by permission) from grants where bot = bots.name) as grants from bots`;

type StoredBot = Omit<BotRow, 'grants' | 'policy' | 'declared'> & {
  readonly policy: string;
  readonly grants: string | null;
  readonly declared: string;
};

type PolicyReader = (bot: string, text: string) => Policy;

/** Every call reads its bot; the same text is the same policy. */
export function createPolicyReader(): PolicyReader {
  let last: { readonly text: string; readonly policy: Policy } | undefined;
  return (bot, text) => {
    if (last?.text !== text) last = { text, policy: toPolicy(bot, text) };
    return last.policy;
  };
}

function toBot(
  { grants, policy, declared, ...row }: StoredBot,
  readPolicy: PolicyReader,
  readDeclared: DeclaredReader,
): BotRow {
  return {
    ...row,
    grants: grants === null ? [] : grants.split(','),
    policy: readPolicy(row.name, policy),
    declared: readDeclared(row.name, declared),
  };
}

const NONE: readonly Declared[] = [];

export type DeclaredReader = (bot: string, text: string) => readonly Declared[];

/** The same text is the same definitions: what is derived from them is derived once. An edited row is refused. */
export function createDeclaredReader(): DeclaredReader {
  const known = new Map<string, { readonly text: string; readonly declared: readonly Declared[] }>();
  return (bot, text) => {
    if (text === '[]') return NONE;
    const last = known.get(bot);
    if (last?.text === text) return last.declared;
    const declared = toDeclared(bot, JSON.parse(text));
    known.set(bot, { text, declared });
    return declared;
  };
}

function toDeclared(bot: string, stored: readonly { revision: number; declaration: unknown }[]): readonly Declared[] {
  return stored.map(({ revision, declaration }) => {
    const parsed = declarationSchema.safeParse(declaration);
    if (parsed.success) return { revision, declaration: parsed.data };
    throw new GatehouseError('config_invalid', `A stored action of bot ${bot} is no definition of an action.`, {
      next: `Remove it and save it again: gatehouse action list ${bot}.`,
    });
  });
}

/** Read through its schema: a key that a later version added gets its default, an edited row is refused. */
function toPolicy(bot: string, text: string): Policy {
  const parsed = parsePolicy(JSON.parse(text));
  if ('policy' in parsed) return parsed.policy;
  throw new GatehouseError('config_invalid', `The stored policy of bot ${bot} is not a policy.`, {
    next: `Save a policy again: gatehouse policy set ${bot} FILE.`,
    fields: parsed.problems,
  });
}
