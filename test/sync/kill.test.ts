import { expect, it } from 'vitest';
import { soak } from './soak.ts';

it('survives kill -9 of real workers under faults: no duplicate, no difference, no lost edit, then rest [sync-P8] [sync-P21] [S8]', async () => {
  const report = await soak(25, 12);
  expect(report).toMatchObject({ duplicates: 0, diverged: 0, lostSingleSideEdits: 0, writesAfterRest: 0 });
  expect(report.kills).toBeGreaterThan(0);
  expect(report.edits).toBeGreaterThan(30);
}, 240_000);
