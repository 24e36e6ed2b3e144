import { performance } from 'node:perf_hooks';

/**
 * The longest time that `work` kept the loop from everybody else, ms. Of processor time where that is less: what others do on
 * the machine is no hold of ours.
 */
export async function longestHold(work: () => unknown): Promise<number> {
  let longest = 0;
  let at = performance.now();
  let cpu = process.cpuUsage();
  const look = () => {
    const { user, system } = process.cpuUsage(cpu);
    longest = Math.max(longest, Math.min(performance.now() - at, (user + system) / 1_000));
    at = performance.now();
    cpu = process.cpuUsage();
  };
  const ticker = setInterval(look, 1);
  try {
    await work();
    // What held it last is seen at the next turn.
    await new Promise((resolve) => setTimeout(resolve, 2));
    look();
  } finally {
    clearInterval(ticker);
  }
  return longest;
}

/** How much longer than 40 ms this process needs for 3 MB of JSON: the middle of nine tries. */
export function slowness(): number {
  const text = JSON.stringify(Array.from({ length: 200_000 }, (_, n) => ({ n: String(n) })));
  const tries = Array.from({ length: 9 }, () => {
    const cpu = process.cpuUsage();
    JSON.parse(text);
    const { user, system } = process.cpuUsage(cpu);
    return (user + system) / 1_000;
  });
  return (tries.sort((a, b) => a - b)[4] ?? 0) / 40;
}
