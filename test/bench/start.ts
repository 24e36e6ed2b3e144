import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** F1: from spawn to the answer of `tools/list`, and the memory then, beside a bare server of six tools on the same SDK. */

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const RUNS = 9;

export async function benchStart() {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-bench-'));
  const bare = path.join(ROOT, 'dist/bench/fixtures/bare-server.js');
  const ours = [path.join(ROOT, 'dist/src/main.js'), 'mcp', '--bot', 'demo'];
  try {
    // The first start makes the data folder; it is not what a client meets every day.
    await listOnce(ours, folder);
    await listOnce([bare], folder);
    const ratios: number[] = [];
    const memory: number[] = [];
    let bytes = 0;
    for (let run = 0; run < RUNS; run += 1) {
      const a = await listOnce(ours, folder);
      const b = await listOnce([bare], folder);
      ratios.push(a.ms / b.ms);
      memory.push(a.rssMb);
      bytes = a.bytes;
    }
    return [
      {
        name: 'stdio start to tools/list, ratio to a bare SDK server',
        value: median(ratios).toFixed(2),
        target: 'at most 1.15',
      },
      { name: 'resident memory after tools/list, MB', value: median(memory).toFixed(0), target: 'at most 90' },
      { name: 'tools/list answer, bytes', value: bytes, target: 'at most 10240' },
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function listOnce(args: readonly string[], data: string): Promise<{ ms: number; rssMb: number; bytes: number }> {
  const began = performance.now();
  const child = spawn(process.execPath, args, {
    env: { ...process.env, GATEHOUSE_DATA: data, GATEHOUSE_LOG: 'silent' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const send = (message: object) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  send({
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1' } },
  });
  let buffered = '';
  for await (const chunk of child.stdout) {
    buffered += String(chunk);
    const lines = buffered.split('\n');
    buffered = lines.pop() ?? '';
    for (const line of lines) {
      const { id } = JSON.parse(line);
      if (id === 1) {
        send({ method: 'notifications/initialized' });
        send({ id: 2, method: 'tools/list' });
      }
      if (id === 2) {
        const ms = performance.now() - began;
        const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
        child.kill();
        return { ms, rssMb: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024, bytes: line.length };
      }
    }
  }
  throw new Error('the server ended before it answered');
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
