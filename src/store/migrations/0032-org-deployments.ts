/** Packages on their way to the org of a bot, by an administrator's own sign-in there. */
export const orgDeployments: readonly string[] = [
  `create table "orgDeployments" (
    id text primary key,
    bot text not null,
    principal text not null,
    "orgId" text not null,
    digest text not null,
    "permissionSet" text not null,
    "withEvents" integer not null,
    state text not null,
    "stateHash" text unique,
    "sessionId" text,
    sealed text,
    username text,
    "checkId" text,
    "deployId" text,
    "withAssignment" integer not null,
    checked text,
    outcome text,
    problem text,
    "createdAt" bigint not null,
    "expiresAt" bigint not null
  )`,
  `create index org_deployments_bot on "orgDeployments" (bot, "createdAt")`,
];
