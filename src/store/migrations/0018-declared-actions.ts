/** Actions that operators declare. What is live stands with the bot, in the one read of every call; every revision is kept beside. */
export const declaredActions: readonly string[] = [
  `alter table bots add column declared text not null default '[]'`,
  `create table "declaredActions" (
    bot text not null,
    name text not null,
    revision bigint not null,
    permission text not null,
    state text not null,
    text text,
    "createdBy" text not null,
    "createdAt" bigint not null,
    primary key (bot, name, revision)
  )`,
];
