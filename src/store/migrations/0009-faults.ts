/** What other processes hold is found without reading every link, and a failure keeps the cure that was told with it. */
export const faults: readonly string[] = [
  `create index links_leased on links ("bot", "orgId", "leaseOwner", "leaseUntil") where "leaseUntil" > 0`,
  `alter table connections add column "lastFailureNext" text`,
];
