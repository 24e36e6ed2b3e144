import { defineConfig } from 'vitest/config';

const browserTests = 'test/**/*.browser.test.ts';

export default defineConfig({
  test: {
    // Generous: a busy machine is slow, and no test measures time.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Apart, so that a run without browser tests unpacks no browser.
    projects: [
      { extends: true, test: { name: 'house', include: ['test/**/*.test.ts'], exclude: [browserTests] } },
      {
        extends: true,
        test: { name: 'browser', include: [browserTests], globalSetup: ['test/support/chromium-setup.ts'] },
      },
    ],
  },
});
