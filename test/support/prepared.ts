import { access, chmod, constants, cp, mkdir, mkdtemp, rename, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/**
 * What many tests begin with is made once a run and copied after that: a new house costs a quarter of a second, its copy a
 * twentieth, and there are hundreds.
 */
export async function copyOfPrepared(
  name: string,
  to: string,
  make: (folder: string) => Promise<void>,
  isWanted: (file: string) => boolean = () => true,
): Promise<void> {
  if (process.env.GATEHOUSE_TEST_PREPARED === undefined) return make(to);
  const from = await preparedFolder(name, make);
  await mkdir(to, { recursive: true });
  await cp(from, to, { recursive: true, filter: (file) => file === from || isWanted(path.basename(file)) });
}

/** The folder of this name: made by the first who asks in this run, and gone with the run. */
export async function preparedFolder(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const root = process.env.GATEHOUSE_TEST_PREPARED;
  if (root === undefined) throw new Error('GATEHOUSE_TEST_PREPARED names no folder');
  const made = path.join(root, name);
  if (await exists(made)) return made;
  const making = await mkdtemp(path.join(root, 'making-'));
  await make(making);
  // Another worker may have been first: its folder is as good.
  await rename(making, made).catch(() => rm(making, { recursive: true }));
  return made;
}

const exists = (file: string) =>
  access(file).then(
    () => true,
    () => false,
  );

/** Where worlds and databases of tests lie: in memory where there is room, for half of what they take is waiting for a disk. */
export const testFolder = (): string => process.env.GATEHOUSE_TEST_FOLDER ?? tmpdir();

const MEMORY = '/dev/shm';
const ROOM_BYTES = 2 ** 31;

/** Global set-up of vitest: the run's own folders, gone with it. */
export default async function setup(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join((await hasRoom()) ? MEMORY : tmpdir(), 'gatehouse-tests-'));
  // A test may start a process under another account, and shows it the way to its own folder.
  await chmod(folder, 0o711);
  process.env.GATEHOUSE_TEST_FOLDER = folder;
  process.env.GATEHOUSE_TEST_PREPARED = path.join(folder, 'prepared');
  await mkdir(process.env.GATEHOUSE_TEST_PREPARED);
  return () => rm(folder, { recursive: true, force: true });
}

async function hasRoom(): Promise<boolean> {
  const { bavail, bsize } = await statfs(MEMORY).catch(() => ({ bavail: 0, bsize: 0 }));
  if (bavail * bsize < ROOM_BYTES) return false;
  return access(MEMORY, constants.W_OK).then(
    () => true,
    () => false,
  );
}
