/** The next links of a batch are found past those that a bulk job holds, however many these are. */
export const loads: readonly string[] = [
  `drop index links_batch`,
  `create index links_batch_free on links ("batch", "leaseUntil", "localId") where "batch" is not null`,
];
