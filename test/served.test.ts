import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createServed } from '../src/served.ts';

describe('the base of links', () => {
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await mkdtemp(path.join(tmpdir(), 'gatehouse-served-'));
  });
  afterEach(() => rm(dataDir, { recursive: true, force: true }));

  const open = (url?: string) => createServed({ url, dataDir, port: 3000 });
  const file = () => path.join(dataDir, 'served');

  it('is where a server listens now, also for a process that was there before it', async () => {
    const other = open();
    expect(other.url()).toBe('http://localhost:3000');
    const forget = await open().note('http://localhost:3911');
    expect(other.url()).toBe('http://localhost:3911');
    await forget();
    expect(other.url()).toBe('http://localhost:3000');
  });

  it('is GATEHOUSE_URL wherever that is set', async () => {
    await open().note('http://localhost:3911');
    expect(open('https://gate.example').url()).toBe('https://gate.example');
  });

  it('forgets a server that was killed', async () => {
    await writeFile(file(), '999999999 http://localhost:3911\n');
    expect(open().url()).toBe('http://localhost:3000');
  });

  it.each([
    '',
    'http://localhost:3911\n',
    `${process.pid} javascript:alert(1)\n`,
    `${process.pid} http://localhost:39`,
  ])('does not trust the note %j', async (note) => {
    await writeFile(file(), note);
    expect(open().url()).toBe('http://localhost:3000');
  });

  it('leaves the note of a second server alone', async () => {
    const forget = await open().note('http://localhost:3911');
    await open().note('http://localhost:3912');
    await forget();
    expect(await readFile(file(), 'utf8')).toContain('3912');
  });
});
