import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { serveSim } from '../../src/sim/server.ts';
import type { Heard } from './fixtures/events-run.ts';

const POLL_MS = 10_000;

/** I2: what it costs to hear of 10,000 changes, and how soon a change in Salesforce is at the host app's webhook. */
export async function benchEvents(): Promise<{ name: string; value: number; target?: string }[]> {
  const people = Number(process.env.BENCH_PEOPLE ?? 10_000);
  const many = await measure('events', people, 21);
  const polled = await measure('polls', 20, 7);
  const [byEvents, byPolls] = [median(many.waitsMs), median(polled.waitsMs)];
  return [
    { name: `events that told of ${people.toLocaleString('en')} changes`, value: many.delivered - many.waitsMs.length },
    // Thirty reads at once, then one in ten seconds: whatever the events do, that is the most.
    { name: 'calls for all of it: the events none, the rest reads', value: many.calls, target: 'at most 30' },
    { name: 'records read a call', value: Math.round(people / many.calls) },
    { name: 'ms from a change to the webhook by events, median of 21', value: byEvents, target: 'under 2,000' },
    { name: `the same by polls every ${POLL_MS / 1_000} s, median of 7`, value: byPolls },
    { name: 'ratio, polls as they are by default (5 minutes) to events', value: Math.round((byPolls * 30) / byEvents) },
  ];
}

/** The org in this process, everything of ours in another one. */
async function measure(word: 'events' | 'polls', people: number, singles: number): Promise<Heard> {
  const sim = await serveSim({ port: 0, seed: { records: {} } });
  try {
    const run = fileURLToPath(new URL('./fixtures/events-run.js', import.meta.url));
    const args = [run, word, String(people), String(singles), sim.url, String(POLL_MS)];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    // What events-run.ts prints.
    return JSON.parse(stdout) as Heard;
  } finally {
    await sim.close();
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0);
}
