import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium } from 'playwright-core';
import type { TestProject } from 'vitest/node';

/**
 * One Chromium for all browser tests. Unpacked once, here, into a folder of our own: two processes unpacking at once fail, and
 * a half-unpacked file is taken for whole. Web security stays on, or the same-site and CSRF tests would prove nothing.
 */

declare module 'vitest' {
  interface ProvidedContext {
    /** Where to connect, or why there is no browser. */
    chromium: { readonly endpoint: string } | { readonly missing: string };
  }
}

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
];

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-chromium-'));
  try {
    const executablePath = await unpackInto(folder);
    const server = await chromium.launchServer({ executablePath, args: ARGS, chromiumSandbox: false });
    project.provide('chromium', { endpoint: server.wsEndpoint() });
    return async () => {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    const library = /lib[\w.+-]+\.so[\w.]*/.exec(String(error))?.[0];
    project.provide('chromium', { missing: library === undefined ? why : `Chromium needs ${library} of the system` });
    return async () => {};
  }
}

/** The package unpacks into the system's temp folder; for this moment that is ours. */
async function unpackInto(folder: string): Promise<string> {
  const before = process.env.TMPDIR;
  process.env.TMPDIR = folder;
  try {
    const { default: packed } = await import('@sparticuz/chromium');
    return await packed.executablePath();
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
}
