import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { deriveKey, isSameSecret } from '../../domain/canonical-json.ts';
import { GatehouseError } from '../../domain/errors.ts';
import type { Store } from '../../ports/store.ts';

/** As GATEHOUSE_SECRET: 16 characters are the least that config accepts. */
const LEAST_LENGTH = 16;

/** From the environment, else from the file `secret` of the data folder, which the first of all processes makes. */
export async function loadSecret(dataDir: string, fromEnv?: string): Promise<string> {
  if (fromEnv !== undefined) return fromEnv;
  const file = path.join(dataDir, 'secret');
  try {
    const secret = ((await read(file)) ?? (await make(file))).trim();
    if (secret.length >= LEAST_LENGTH) return secret;
  } catch (cause) {
    throw new GatehouseError('config_invalid', `The secret ${file} cannot be read or made.`, {
      next: `Let the account that runs Gatehouse read and write ${dataDir}, or set GATEHOUSE_SECRET.`,
      cause,
    });
  }
  throw new GatehouseError('config_invalid', `The secret ${file} is too short to be one.`, {
    next: 'Put the former secret back into the file, or set GATEHOUSE_SECRET.',
  });
}

/** Proves that this store has always been used with this secret; the first one to ask decides. Only a derived mark is kept. */
export async function checkSecret(store: Pick<Store, 'values'>, secret: string): Promise<void> {
  const mark = deriveKey(secret, 'check').toString('hex');
  // It never expires, so the time does not matter.
  const kept =
    (await store.values.get('check', 'secret', 0)) ??
    (await store.values.setIfAbsent('check', 'secret', mark, null, 0));
  if (isSameSecret(kept, mark)) return;
  throw new GatehouseError('config_invalid', 'GATEHOUSE_SECRET is not the one this database was made with.', {
    next: 'Put the former secret back (the variable, or the file `secret` of the data folder), or use another data folder.',
  });
}

async function read(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Written aside, then linked into place: nobody reads half a secret, and of several makers one wins. */
async function make(file: string): Promise<string> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomBytes(8).toString('hex')}`;
  try {
    const handle = await open(draft, 'wx', 0o600);
    await handle.writeFile(`${randomBytes(32).toString('base64url')}\n`);
    // What is stored under it soon must not outlive it in a power loss.
    await handle.sync();
    await handle.close();
    await link(draft, file).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    });
  } finally {
    await rm(draft, { force: true });
  }
  return readFile(file, 'utf8');
}
