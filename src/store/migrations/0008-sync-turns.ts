/** What a worker last met with a bot, so that the status of another process can say it; and which parents people wait for. */
export const syncTurns: readonly string[] = [
  `create table "syncTurns" (
    "bot" text not null,
    "orgId" text not null,
    "at" bigint not null,
    "problem" text,
    primary key ("bot", "orgId")
  )`,
  `alter table links add column "waitsFor" text`,
  `create index links_waits on links ("bot", "orgId", "localId") where "waitsFor" is not null`,
];
