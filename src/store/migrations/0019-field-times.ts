/** When fields of linked records last changed, as the event stream told it: one row a record, replaced as it is told more. */
export const fieldTimes: readonly string[] = [
  `create table "fieldTimes" (
    "bot" text not null,
    "orgId" text not null,
    "object" text not null,
    "sfId" text not null,
    "modifiedAt" bigint not null,
    "fields" text not null,
    "heardAt" bigint not null,
    primary key ("bot", "orgId", "sfId")
  )`,
  `create index field_times_heard on "fieldTimes" ("heardAt")`,
];
