/** What a person was asked about each record of a kind that policy holds, so that nobody is asked the same twice. */
export const asked: readonly string[] = [
  `create table asked (
    "link" text primary key,
    "bot" text not null,
    "dirty" bigint not null,
    "digest" text not null,
    "proposal" text,
    "policyRevision" bigint not null
  )`,
];
