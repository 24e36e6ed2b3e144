import { loadRows, measureLoad } from './fixtures/load.ts';

/** F6: a hundred thousand people who are not in Salesforce yet, by bulk jobs. */
export async function benchBulkLoad() {
  return loadRows(100_000, await measureLoad(10_000), await measureLoad(100_000));
}
