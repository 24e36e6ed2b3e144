/** Sets of operator permissions that an installation made beside the shipped ones; `bots` null: of every bot. Both lists are JSON. */
export const roles: readonly string[] = [
  `create table roles (
    name text primary key,
    permissions text not null,
    bots text,
    "createdAt" bigint not null
  )`,
];
