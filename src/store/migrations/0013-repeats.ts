/** Batches that come again, and the hours in which a bot's sync does nothing by itself. */
export const repeats: readonly string[] = [
  `alter table "batchRuns" add column "repeat" text`,
  `alter table "batchRuns" add column "begunAt" bigint`,
  `create table "quietHours" (
    "bot" text primary key,
    "from" text not null,
    "until" text not null,
    "zone" text not null,
    "by" text not null,
    "at" bigint not null
  )`,
];
