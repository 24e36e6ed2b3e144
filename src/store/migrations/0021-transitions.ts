/**
 * Subscriptions to a field that becomes a value: what is asked for, and per org who holds such a value already, so that each
 * transition is told once. Records that the host app was told of as found. What a change event named goes with its hint, and to the host app.
 */
export const transitions: readonly string[] = [
  `alter table subscriptions add column "when" text`,
  `alter table subscriptions add column "channel" text`,
  `create table transitions (
    "bot" text not null,
    "orgId" text not null,
    "object" text not null,
    "when" text not null,
    "looks" bigint not null,
    primary key ("bot", "orgId", "object")
  )`,
  `create table "transitionHolders" (
    "bot" text not null,
    "orgId" text not null,
    "object" text not null,
    "sfId" text not null,
    "value" text not null,
    primary key ("bot", "orgId", "object", "sfId")
  )`,
  `create table found (
    "bot" text not null,
    "orgId" text not null,
    "object" text not null,
    "sfId" text not null,
    "at" bigint not null,
    primary key ("bot", "orgId", "object", "sfId")
  )`,
  `alter table inbox add column "changed" text`,
  `alter table feed add column "changed" text`,
];
