import { execFile, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { expect } from 'vitest';

/** Servers of a test's own, to be stopped, killed and moved under load. Those that everybody shares are never touched. */

const run = promisify(execFile);

/** The newest PostgreSQL of this machine; undefined where only a client is installed. */
export function postgresBinaries(): string | undefined {
  const root = '/usr/lib/postgresql';
  if (!existsSync(root)) return undefined;
  return readdirSync(root)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => path.join(root, version, 'bin'))
    .find((bin) => existsSync(path.join(bin, 'initdb')));
}

export interface OwnPostgres extends AsyncDisposable {
  /** Through a proxy of the test's own, so that the server can move behind it. */
  readonly url: string;
  /** SQL as the superuser, past the proxy; what a query answers. */
  sql(text: string): Promise<unknown[]>;
  /** `immediate` kills every backend, as a crash or a failover does. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>;
  /** Every line that is open now is dead from here on: nothing comes through, and nobody is told. New ones live. */
  deaden(): void;
  /** On another port each time: clients know the proxy only. */
  start(): Promise<void>;
}

export async function createOwnPostgres(bin: string): Promise<OwnPostgres> {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-pg-'));
  // PostgreSQL refuses to run as root.
  const isRoot = userInfo().uid === 0;
  const [uid, gid] = isRoot ? await idsOf('postgres') : [undefined, undefined];
  if (uid !== undefined && gid !== undefined) await chown(folder, uid, gid);
  await chmod(folder, 0o700);
  const as = { cwd: folder, ...(uid === undefined ? {} : { uid, gid }) };
  const data = path.join(folder, 'data');
  await run(path.join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync', '--locale=C'], as);
  const proxy = await createProxy();
  let port = 0;
  const own: OwnPostgres = {
    url: `postgres://postgres@127.0.0.1:${proxy.port}/postgres`,
    async sql(text) {
      const client = new pg.Client({ connectionString: `postgres://postgres@127.0.0.1:${port}/postgres` });
      client.on('error', () => {});
      await client.connect();
      try {
        return (await client.query(text)).rows;
      } finally {
        await client.end();
      }
    },
    deaden: proxy.deaden,
    async stop(mode = 'fast') {
      await run(path.join(bin, 'pg_ctl'), ['-D', data, '-m', mode, '-w', 'stop'], as);
    },
    async start() {
      port = await freePort();
      const options = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off`;
      const log = path.join(folder, 'log');
      await run(path.join(bin, 'pg_ctl'), ['-D', data, '-l', log, '-w', '-o', options, 'start'], as);
      proxy.to(port);
    },
    async [Symbol.asyncDispose]() {
      await own.stop('immediate').catch(() => {});
      await proxy.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  await own.start();
  return own;
}

export function redisBinary(): string | undefined {
  return (process.env.PATH ?? '')
    .split(path.delimiter)
    .map((folder) => path.join(folder, 'redis-server'))
    .find((file) => existsSync(file));
}

export interface OwnRedis extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** It keeps what it holds across a restart. */
export async function createOwnRedis(binary: string): Promise<OwnRedis> {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-redis-'));
  const port = await freePort();
  let stop = async () => {};
  const own: OwnRedis = {
    url: `redis://127.0.0.1:${port}`,
    port,
    stop: () => stop(),
    async start() {
      const child = spawn(binary, ['--port', `${port}`, '--dir', folder, '--appendonly', 'yes', '--save', '']);
      const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
      stop = async () => {
        child.kill('SIGTERM');
        await ended;
      };
      await until(() => answers(port));
    },
    async [Symbol.asyncDispose]() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  await own.start();
  return own;
}

/** Waits for a condition, however slow the machine is. */
export async function until(holds: () => Promise<boolean> | boolean, ms = 40_000): Promise<void> {
  await expect.poll(async () => holds(), { timeout: ms, interval: 50 }).toBe(true);
}

export async function createProxy() {
  const open = new Set<Socket>();
  let target = 0;
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        open.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    to(port: number) {
      target = port;
    },
    deaden() {
      for (const socket of open) {
        socket.unpipe();
        socket.pause();
      }
    },
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** User and group id of an account of this machine. */
export async function idsOf(account: string): Promise<[number, number]> {
  const [uid, gid] = await Promise.all(['-u', '-g'].map((what) => run('id', [what, account])));
  return [Number(uid?.stdout), Number(gid?.stdout)];
}
