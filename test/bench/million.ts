import { loadRows, measureLoad } from './fixtures/load.ts';

/** F6: a first load of a million people by bulk jobs. A shorter look: `BENCH_PEOPLE=200000 npm run bench -- million`. */
export async function benchMillion() {
  const people = Number(process.env.BENCH_PEOPLE ?? 1_000_000);
  return loadRows(people, await measureLoad(10_000), await measureLoad(people));
}
