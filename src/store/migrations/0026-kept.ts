/**
 * Which cases name whom, to be found by the person. What a saved mapping still has to tell the links. And indexes by which what is past
 * its time is found without a look at the rest.
 */
export const kept = [
  `create table "caseParties" (
    "bot" text not null,
    "party" text not null,
    "caseId" text not null,
    primary key ("bot", "party", "caseId")
  )`,
  `create index case_parties_case on "caseParties" ("bot", "caseId")`,
  {
    sqlite: `insert into "caseParties" select distinct h."bot", json_extract(p.value, '$.party'), h."id"
      from "hostRecords" h, json_each(h."parties") p where h."kind" = 'case' and h."deletedAt" is null`,
    postgres: `insert into "caseParties" select distinct h."bot", p.value ->> 'party', h."id"
      from "hostRecords" h, json_array_elements(h."parties"::json) p where h."kind" = 'case' and h."deletedAt" is null`,
  },
  `create table follows (
    "bot" text not null,
    "kind" text not null,
    "version" bigint not null,
    "orgId" text not null,
    "object" text not null,
    "keys" text not null,
    "batches" text not null,
    "after" text,
    primary key ("bot", "kind", "version")
  )`,
  `create index counters_window on counters ("window")`,
  `create index conversations_updated on conversations ("updatedAt")`,
  `create index batch_runs_finished on "batchRuns" ("finishedAt") where "finishedAt" is not null`,
] as const;
