/**
 * What the host app was told last of each subscribed record. And indexes for what is read often among three hundred thousand links, people
 * or events: counts from an index alone, problems and what is past its time without a look at the rest.
 */
export const left: readonly string[] = [
  `create table told (
    "bot" text not null,
    "orgId" text not null,
    "sfId" text not null,
    "stamp" text not null,
    "key" text not null,
    "at" bigint not null,
    primary key ("bot", "orgId", "sfId")
  )`,
  `create index told_at on told ("at")`,
  `create index inbox_done on inbox ("doneAt") where "doneAt" is not null`,
  `create index links_counted on links ("bot", "orgId", "kind", "state", "dirty", "done")`,
  `create index links_backlog on links ("bot", "orgId", "kind", "object", "state", "nextAt", "createdAt", "dirty", "done") where "dirty" > "done"`,
  `create index links_problem on links ("bot", "orgId", "kind", "object", "localId", "id", "state") where "error" is not null`,
  `create index host_records_newest on "hostRecords" ("bot", "kind", "changedAt" desc, "id") where "deletedAt" is null`,
];
