import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const all = 'test/**/*.test.ts';
const browserTests = 'test/**/*.browser.test.ts';

/** No database, no org, no server: seconds, at every save. */
const pureTests = [
  'test/{contract/{actions,requirements},http/rate-limit,mcp/form,permissions/{mirrors,policy},store/make-folder}.test.ts',
  'test/{domain,runtime,salesforce/soql,sync/mapping,sync/inbound}/**/*.test.ts',
  'test/salesforce/{bayeux,breaker,budget,describe-check,failures,find,hosts,ids,search,sign-in-failures}.test.ts',
  'test/{chat/accumulate,sim/date-literals,sim/ids,sync/log-ids,sync/merge}.test.ts',
];
/** Starts processes, ours or other people's, and kills some; each file in a process of its own. */
const processTests = [
  'test/e2e/*.test.ts',
  'test/{gate,salesforce,store}/processes.test.ts',
  'test/{cli/chat,mcp/stdio,sim/shared-file,sync/kill}.test.ts',
  // Looks at its own loop, which what earlier files left in a worker makes slow.
  'test/contract/event-loop.test.ts',
];
const ourTests = { include: [all], exclude: [browserTests, ...pureTests, ...processTests] };

/** What differs by database: where rows are kept, claimed, locked and lost. Elsewhere the same statements are proven by these. */
const postgresTests = [
  'test/store/!(make-folder|per-bot|sqlite|processes).test.ts',
  'test/access/roles.test.ts',
  'test/app/org-deploy.test.ts',
  'test/gate/{clocks,orgs}.test.ts',
  'test/identity/{ended-streams,oauth}.test.ts',
  'test/mcp/sessions.test.ts',
  'test/salesforce/soql-allowance.test.ts',
  'test/sync/{batch,bulk-routes,bulk,claim-runner,clocks,console-routes,converted,crash,events,feed,field-times,first-write,found,held,host-links,hosts,identity,interrupted,log-routes,manual-links,model,platform-events,policy,repeats,routes,stands-alone,status,streams,transitions,words,worker}.test.ts',
];

// The main flows once more in an org that has none of our fields; what is about those is left out by name.
const stockTests = ['test/e2e/*.test.ts', 'test/eval/*.test.ts', 'test/sync/*.test.ts'];
const notOnStock = [
  // About servers, disks, clients and people at a terminal: the org behind them is all the same.
  'test/e2e/{pack,crash,processes,data-folder,lost-servers,ended-from-outside,no-room,recover}.test.ts',
  'test/e2e/{agent-clients,mcp-clients,mcp-conformance,commands,chat-restart,check-oauth,roles}.test.ts',
  'test/sync/{crash,first-write,interrupted,kill,model}.test.ts',
  // By our mark, or not at all: what we made is told apart, a load finds itself again.
  'test/sync/{bulk,bulk-routes,found}.test.ts',
  // Leases, clocks, schedules, numbers of the feed, plain functions: no field of the org has a part in them.
  'test/sync/{chunk-size,clocks,feed,log-ids,merge,repeats,worker}.test.ts',
];

// Files share the modules of their worker: loading them anew for each of 250 files took half of all processor time.
const shared = { isolate: false };

export default defineConfig({
  test: {
    // Generous: a busy machine is slow, and no test measures time.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Much of it waits for processes, disks and servers: on two cores two files at once take half the time of one.
    maxWorkers: Math.max(2, availableParallelism()),
    globalSetup: ['test/support/prepared.ts'],
    projects: [
      { extends: true, test: { name: 'pure', include: pureTests, ...shared } },
      { extends: true, test: { name: 'world', ...ourTests, ...shared, env: { GATEHOUSE_TEST_ON: 'SQLite' } } },
      {
        extends: true,
        test: {
          name: 'postgres',
          ...shared,
          include: postgresTests,
          exclude: processTests,
          env: { GATEHOUSE_TEST_ON: 'PostgreSQL' },
        },
      },
      { extends: true, test: { name: 'process', include: processTests } },
      {
        extends: true,
        test: {
          name: 'stock',
          ...shared,
          include: stockTests,
          exclude: notOnStock,
          env: { GATEHOUSE_SIM_SEED: 'stock' },
          setupFiles: ['test/support/stock-setup.ts'],
        },
      },
      // Apart, so that a run without browser tests unpacks no browser.
      {
        extends: true,
        test: {
          name: 'browser',
          include: [browserTests],
          globalSetup: ['test/support/chromium-setup.ts', 'test/support/prepared.ts'],
        },
      },
    ],
  },
});
