/** The state of a subscribed record that the host app was told last: one row a record. */
export const told: readonly string[] = [
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
];
