import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { serveSim } from '../../src/sim/server.ts';
import type { Cost } from './fixtures/sync-run.ts';

/** F6 and F7: the calls of the table, what one record costs on our side whatever the number, and what is held meanwhile. */
export async function benchSync(): Promise<{ name: string; value: number; target?: string }[]> {
  const hundred = await measure(100);
  const thousand = await measure(1_000);
  const ten = await measure(10_000);
  const all = await measure(100_000);
  // Before and after the long run: the machine's own speed drifts meanwhile.
  const tenAgain = await measure(10_000);
  const perRecordOfTen = (perRecord(ten, 10_000) + perRecord(tenAgain, 10_000)) / 2;
  return [
    { name: 'calls, 100 people, first sync', value: hundred.first.calls, target: '2' },
    { name: 'calls, 100 people, fresh changes', value: hundred.fresh.calls, target: '1' },
    { name: 'calls, 10,000 people, first sync', value: ten.first.calls, target: '11' },
    { name: 'calls, 10,000 people, fresh changes', value: ten.fresh.calls, target: '10' },
    { name: 'calls, 10,000 people, nothing to do (reads only)', value: ten.idle.calls, target: '2' },
    { name: 'calls, 100,000 people, first sync', value: all.first.calls, target: '110' },
    { name: 'calls, 100,000 people, fresh changes', value: all.fresh.calls, target: '100' },
    { name: 'runs with nothing to do that touched a record', value: noisy([hundred, thousand, ten]), target: '0' },
    { name: 'processor ms of ours per record, 10,000 people, first sync', value: perRecord(ten, 10_000) },
    {
      name: 'ratio of that, 10,000 to 1,000 people',
      value: round(perRecord(ten, 10_000) / perRecord(thousand, 1_000)),
      target: 'at most 1.2',
    },
    {
      name: 'ratio of that, 100,000 to 10,000 people',
      value: round(perRecord(all, 100_000) / perRecordOfTen),
      target: 'at most 1.2',
    },
    { name: 'most memory held, 1,000 people, MB', value: round(thousand.heldMb) },
    { name: 'most memory held, 10,000 people (one window), MB', value: round(ten.heldMb) },
    {
      name: 'ratio of memory held, 100,000 to 10,000 people',
      value: round(all.heldMb / ten.heldMb),
      target: 'at most 1.2',
    },
  ];
}

/** The org in this process, everything of ours in another one: so its processor time and its memory are its own. */
async function measure(people: number): Promise<Cost> {
  const sim = await serveSim({ port: 0, seed: { records: {} } });
  try {
    const run = fileURLToPath(new URL('./fixtures/sync-run.js', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', run, String(people), sim.url]);
    // What sync-run.ts prints.
    return JSON.parse(stdout) as Cost;
  } finally {
    await sim.close();
  }
}

const perRecord = ({ first }: Cost, people: number): number => round(first.cpuMs / people);
const noisy = (costs: readonly Cost[]): number => costs.filter((cost) => !cost.isIdleQuiet).length;
const round = (value: number): number => Math.round(value * 1_000) / 1_000;
