import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';

/**
 * Makes a folder, and those above it, for this account alone. Step by step, because Node's own `recursive` never ends where
 * the system says that a folder is missing that is there (/proc).
 */
export async function makeFolder(folder: string): Promise<void> {
  if (await isMade(folder)) return;
  await makeFolder(path.dirname(folder));
  if (!(await isMade(folder))) throw new Error(`${folder} cannot be made.`);
}

/** False where the folder above is missing. */
async function isMade(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { mode: 0o700 });
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException; // of the file system
    if (code === 'ENOENT' && path.dirname(folder) !== folder) return false;
    // There already, by us or by another process just now.
    if ((await stat(folder).catch(() => undefined))?.isDirectory()) return true;
    throw error;
  }
}
