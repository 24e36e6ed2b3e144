/** People who let a program act for a bot: the grants, the codes on their way to one, and its tokens (all as hashes). */
export const identity: readonly string[] = [
  `create table "accessGrants" (
    id text primary key,
    operator text not null,
    bot text not null,
    client text not null,
    "clientName" text not null,
    host text not null,
    resource text not null,
    scopes text not null,
    "codeHash" text not null unique,
    "createdAt" bigint not null,
    "usedAt" bigint not null,
    "expiresAt" bigint not null
  )`,
  `create index access_grants_expiry on "accessGrants" ("expiresAt")`,
  `create table "authCodes" (
    hash text primary key,
    operator text not null,
    bot text not null,
    client text not null,
    "clientName" text not null,
    "redirectUri" text not null,
    resource text not null,
    scopes text not null,
    challenge text not null,
    "expiresAt" bigint not null
  )`,
  `create index auth_codes_expiry on "authCodes" ("expiresAt")`,
  `create table "accessTokens" (
    hash text primary key,
    "grant" text not null,
    kind text not null,
    "expiresAt" bigint not null,
    "rotatedAt" bigint
  )`,
  `create index access_tokens_grant on "accessTokens" ("grant")`,
  `create index access_tokens_expiry on "accessTokens" ("expiresAt")`,
];
