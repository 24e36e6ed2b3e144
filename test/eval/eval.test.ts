import { afterAll, expect, it } from 'vitest';
import { play, type Score } from './play.ts';
import { attacks } from './scenarios/attacks.ts';
import { deals } from './scenarios/deals.ts';
import { leads } from './scenarios/leads.ts';
import { reads } from './scenarios/reads.ts';
import { toTable } from './table.ts';

// `npm run eval`. With OPENAI_BASE_URL or OPENAI_API_KEY it is the endpoint that is judged; else the demo model plays, and
// scripted models misbehave over real HTTP.
const { OPENAI_BASE_URL: baseUrl, OPENAI_API_KEY: apiKey, OPENAI_MODEL: model } = process.env;
const isReal = Boolean(baseUrl || apiKey);
const endpoint = {
  ...(baseUrl ? { baseUrl } : {}),
  ...(apiKey ? { apiKey } : {}),
  ...(model ? { model } : {}),
};

const scenarios = [...leads, ...deals, ...reads, ...attacks].filter(({ script }) => !isReal || script === undefined);
const scores: Score[] = [];

it.each(scenarios)('$name [T4]', { timeout: isReal ? 300_000 : 30_000 }, async (scenario) => {
  const score = await play(scenario, endpoint);
  scores.push(score);
  expect(score.problems).toEqual([]);
});

it('are at least forty, all by different names [T4]', () => {
  if (!isReal) expect(new Set(scenarios.map(({ name }) => name)).size).toBeGreaterThanOrEqual(40);
  expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length);
});

afterAll(() => {
  process.stderr.write(
    `\n${toTable(scores, isReal ? (model ?? 'the endpoint') : 'gatehouse-demo and scripted models')}\n`,
  );
});
