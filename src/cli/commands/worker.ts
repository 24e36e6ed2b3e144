import { keepRecovering } from '../../app/housekeeping.ts';
import { defineCommand } from '../command.ts';

/** Another pair of hands on the same store: sync, events, webhooks and what crashes left. */
export const command = defineCommand({
  async run(call) {
    const stopped = call.untilStopped();
    const app = await call.openApp();
    const { worker } = await app.sync();
    const stopRecovering = keepRecovering(app);
    worker.start();
    call.terminal.print({ working: true, dataDir: call.config.dataDir }, 'Working. Stop with Ctrl+C.');
    // The worker's own timer lets a process end; this one keeps it.
    const alive = setInterval(() => {}, 60_000);
    await stopped;
    clearInterval(alive);
    stopRecovering();
    await worker.stop();
  },
});
