import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readConfig } from '../../runtime/config.ts';
import type { CommandCall } from '../command.ts';
import { freePort } from '../port.ts';
import { serveHouse } from '../serve-house.ts';
import { historyBegins, playHistory } from './history.ts';
import type { MovedClock } from './played.ts';

/** A company with a month behind it, in a folder that goes when it is stopped. */
export async function showConsole(call: CommandCall, port: number | undefined): Promise<void> {
  // Started by the console of another Gatehouse, it ends with it, however that ends.
  const left = new Promise<void>((resolve) => process.once('disconnect', resolve));
  const stopped = Promise.race([call.untilStopped(), left]);
  const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-demo-'));
  try {
    // The person's own settings stay out: nothing here may reach a real org, or what they have.
    const own = readConfig({ GATEHOUSE_DATA: folder, GATEHOUSE_LOG: 'silent' });
    const { printSignIn } = call.config;
    const at = port || (await freePort(own.host));
    // Cookies know no ports: under another name than that of `serve`, nobody is signed out of their own console.
    const config = { ...own, printSignIn, port: at, url: `http://127.0.0.1:${at}` };
    call.terminal.note('A month of a small company is played, through the real gate…');
    const { createApp } = await import('../../app/app.ts');
    await play(config, createApp);
    const app = await createApp(config);
    try {
      await serveHouse({ config, terminal: call.terminal, openApp: async () => app, stopped });
    } finally {
      await app.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
    // A line to who started it, while it is listened to, keeps a process alive.
    if (process.connected) process.disconnect();
  }
}

type Create = typeof import('../../app/app.ts')['createApp'];

async function play(config: ReturnType<typeof readConfig>, createApp: Create): Promise<void> {
  const { createSim } = await import('../../sim/sim.ts');
  const until = Date.now();
  const clock = createMovedClock(historyBegins(until));
  const simulatedOrg = await createSim({ file: path.join(config.dataDir, 'sim.db'), now: clock.now });
  const app = await createApp(config, {
    now: clock.now,
    simulatedOrg,
    isThrowAway: true,
    async wait(ms) {
      clock.to(clock.now() + ms);
    },
  });
  try {
    await playHistory(app, simulatedOrg, clock, until);
  } finally {
    await app.close();
    await simulatedOrg.close();
  }
}

/** Each look at it takes a millisecond, so that nothing happens in no time. */
function createMovedClock(from: number): MovedClock {
  let at = from;
  return {
    now: () => at++,
    to(later) {
      at = Math.max(at, Math.ceil(later));
    },
  };
}
