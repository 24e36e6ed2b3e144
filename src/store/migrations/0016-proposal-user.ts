/**
 * The Salesforce user that a proposal and a talk were read as, known of older rows only where the connection of today proves it; the
 * person of a session of MCP. Older sessions with a customer do not say whose they are: their clients open them anew.
 */
export const proposalUser: readonly string[] = [
  `alter table proposals add column "userId" text`,
  `update proposals set "userId" = (
    select "userId" from connections
    where connections."bot" = proposals."bot" and connections."orgId" = proposals."orgId"
      and connections."connectedAt" <= proposals."createdAt"
  )`,
  `alter table conversations add column "userId" text`,
  `update conversations set "userId" = (
    select "userId" from connections
    where connections."bot" = conversations."bot" and connections."orgId" = conversations."orgId"
      and connections."connectedAt" <= conversations."createdAt"
  )`,
  `alter table "mcpSessions" add column "user" text`,
  `delete from "mcpSessions" where "indexValue" is not null`,
];
