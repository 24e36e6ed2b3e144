import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const browserTests = 'test/**/*.browser.test.ts';

// The main flows once more in an org that has none of our fields; what is about those is left out by name.
const stockTests = ['test/e2e/*.test.ts', 'test/eval/*.test.ts', 'test/sync/*.test.ts'];
const notOnStock = [
  // About servers, disks, clients and people at a terminal: the org behind them is all the same.
  'test/e2e/{pack,crash,processes,data-folder,lost-servers,ended-from-outside,no-room,recover}.test.ts',
  'test/e2e/{agent-clients,mcp-clients,mcp-conformance}.test.ts',
  'test/sync/{crash,interrupted,kill,model}.test.ts',
];

export default defineConfig({
  test: {
    // Generous: a busy machine is slow, and no test measures time.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Much of it waits for processes, disks and servers: on two cores two files at once take half the time of one.
    maxWorkers: Math.max(2, availableParallelism()),
    // Apart, so that a run without browser tests unpacks no browser.
    projects: [
      { extends: true, test: { name: 'house', include: ['test/**/*.test.ts'], exclude: [browserTests] } },
      {
        extends: true,
        test: {
          name: 'stock',
          include: stockTests,
          exclude: notOnStock,
          env: { GATEHOUSE_SIM_SEED: 'stock' },
          setupFiles: ['test/support/stock-setup.ts'],
        },
      },
      {
        extends: true,
        test: { name: 'browser', include: [browserTests], globalSetup: ['test/support/chromium-setup.ts'] },
      },
    ],
  },
});
