import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { GatehouseError } from '../../domain/errors.ts';
import { createBot } from '../../policy/bots.ts';
import { readConfig } from '../../runtime/config.ts';
import { DEMO_BOT } from '../bots.ts';
import { defineCommand, UsageError } from '../command.ts';
import { playScenes } from '../demo/scenes.ts';
import { openStage } from '../demo/stage.ts';
import { toPort } from '../port.ts';
import { thisProgram } from '../self-command.ts';

/** The main job, played before your eyes on a folder of its own; each step is checked against the org itself. */
export const command = defineCommand({
  options: {
    seed: { value: 'stock', about: 'play in an org that nobody prepared: none of our fields in it' },
    console: { about: 'open the console of a company with a month behind it; Ctrl+C throws it away' },
    port: { value: 'number', about: 'with --console: default any free one' },
  },

  async run(call) {
    const { options, terminal } = call;
    if (options.console) {
      if (options.seed !== undefined)
        throw new UsageError('--console and --seed exclude each other.', 'See: gatehouse demo --help');
      const { showConsole } = await import('../demo/show-console.ts');
      return showConsole(call, toPort(options.port));
    }
    if (options.port !== undefined) throw new UsageError('--port is for --console.', 'See: gatehouse demo --help');
    if (options.seed !== undefined && options.seed !== 'stock')
      throw new UsageError(`There is no org called ${JSON.stringify(options.seed)}.`, 'It is "stock", or left out.');
    const { createApp } = await import('../../app/app.ts');
    const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-demo-'));
    try {
      // The person's own settings stay out: nothing here may reach a real org.
      const own = { GATEHOUSE_DATA: folder, ...(options.seed ? { GATEHOUSE_SIM_SEED: options.seed } : {}) };
      const config = readConfig({ ...own, GATEHOUSE_LOG: 'silent' });
      const { createSim } = await import('../../sim/sim.ts');
      // Ours, and not the app's: what a colleague does in it is done to the org itself.
      const file = path.join(folder, 'sim.db');
      const sim = await createSim({ file, seed: config.simSeed, version: config.salesforce.apiVersion });
      const app = await createApp(config, { simulatedOrg: sim });
      const startedAt = app.now();
      const { key } = await createBot(app, DEMO_BOT, 'internal', { principal: 'demo', channel: 'cli' });
      const stage = await openStage(
        {
          ...thisProgram('mcp', '--bot', DEMO_BOT),
          env: { ...own, GATEHOUSE_BOT_KEY: key, GATEHOUSE_LOG: 'error' },
        },
        terminal,
      );
      try {
        await playScenes(stage, app, sim, options.seed === 'stock');
      } finally {
        await stage.close();
        await app.close();
        await sim.close();
      }
      const failed = stage.checks.filter(({ ok }) => !ok);
      const seconds = ((app.now() - startedAt) / 1000).toFixed(1);
      if (failed.length > 0)
        throw new GatehouseError('internal', `${failed.length} of ${stage.checks.length} steps did not hold.`, {
          next: failed.map(({ scene, claim }) => `${scene}: ${claim}`).join('; '),
        });
      terminal.print(
        { ok: true, checks: stage.checks },
        `\n${terminal.style('green', `All ${stage.checks.length} steps held`)}, in ${seconds} s. Try it yourself: gatehouse serve, or npm start in the repository.`,
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
});
