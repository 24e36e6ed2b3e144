import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createServerAddress } from '../../src/runtime/server-address.ts';

describe('the base of links', () => {
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await mkdtemp(path.join(tmpdir(), 'gatehouse-served-'));
    await mkdir(path.join(dataDir, 'serving'));
  });
  afterEach(() => rm(dataDir, { recursive: true, force: true }));

  const open = (url?: string) => createServerAddress({ url, dataDir, port: 3000 });
  const write = (note: string) => writeFile(path.join(dataDir, 'serving', 'note'), note);

  it('is where a server listens now, also for a process that was there before it', async () => {
    const other = open();
    expect([other.url(), other.isOpen()]).toEqual(['http://localhost:3000', false]);
    const forget = await open().publish('http://localhost:3911');
    expect([other.url(), other.isOpen()]).toEqual(['http://localhost:3911', true]);
    await forget();
    expect([other.url(), other.isOpen()]).toEqual(['http://localhost:3000', false]);
  });

  it('is GATEHOUSE_URL wherever that is set', async () => {
    const forget = await open().publish('http://localhost:3911');
    const address = open('https://gate.example');
    expect([address.url(), address.isOpen()]).toEqual(['https://gate.example', true]);
    await forget();
  });

  it('is never a server that was killed, here or on another machine, or one that hangs [M13]', async () => {
    await write(`server 1 999999999 ${hostname()} http://localhost:3911\n`);
    expect(open().isOpen()).toBe(false);
    // Whether another machine's process lives only its beat tells.
    await write('server 1 1 elsewhere.example http://elsewhere.example:3911\n');
    expect(open().url()).toBe('http://elsewhere.example:3911');
    const past = new Date(Date.now() - 60_000);
    await utimes(path.join(dataDir, 'serving', 'note'), past, past);
    expect(open().isOpen()).toBe(false);
    await write(`server 1 ${process.pid} ${hostname()} http://localhost:3911\n`);
    await utimes(path.join(dataDir, 'serving', 'note'), past, past);
    expect(open().isOpen()).toBe(false);
  });

  it.each([
    '',
    'http://localhost:3911\n',
    `server 1 ${process.pid} ${hostname()} javascript:alert(1)\n`,
    `server 1 ${process.pid} ${hostname()} http://localhost:39`,
  ])('does not trust the note %j', async (note) => {
    await write(note);
    expect(open().url()).toBe('http://localhost:3000');
  });

  it('is the server that is left when one of two stops, and a page of its own where none is [M13]', async () => {
    const address = open();
    const forgetPage = await open().publish('http://localhost:3910', 'page');
    expect(address.url()).toBe('http://localhost:3910');
    const forgetFirst = await open().publish('http://localhost:3911');
    const forgetSecond = await open().publish('http://localhost:3912');
    expect(address.url()).toMatch(/391[12]$/);
    await forgetSecond();
    expect(address.url()).toBe('http://localhost:3911');
    await forgetFirst();
    expect(address.url()).toBe('http://localhost:3910');
    await forgetPage();
    expect(await readdir(path.join(dataDir, 'serving'))).toEqual([]);
  });
});
