import type { App } from '../app/app.ts';
import { insertBot } from '../policy/bots.ts';

/** The bot that everything can be tried with. Safe when two processes start at once: one of them makes it. */
export async function ensureDemoBot(app: App): Promise<{ readonly isNew: boolean }> {
  const by = { principal: 'first start', channel: 'cli' } as const;
  if (await insertBot(app, DEMO_BOT, 'internal', by)) return { isNew: true };
  await connectDemoBot(app);
  return { isNew: false };
}

/** The process that made it may have died before it connected it. */
export async function connectDemoBot(app: App): Promise<void> {
  // Asked of the store: the status of a connection has more to load, and every start would wait for it.
  if ((await app.store.connections.get(DEMO_BOT)) === undefined)
    await app.connections.connect(DEMO_BOT, { flow: 'simulated' });
}

export const DEMO_BOT = 'demo';
