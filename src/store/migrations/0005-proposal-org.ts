/**
 * Which org a proposal was made for, who was thanked for it, and the marks that show a change by anybody but us. Rows from
 * before get their org only where the connection of today proves it. A life of ten minutes was nobody's choice but ours.
 */
export const proposalOrg: readonly string[] = [
  `alter table proposals add column "orgId" text`,
  `alter table proposals add column "clientDecline" text`,
  `alter table proposals add column "visitor" text`,
  `alter table proposals add column "seal" text`,
  `alter table proposals add column "effectsSeal" text`,
  `alter table conversations add column "orgId" text`,
  `update proposals set "orgId" = (
    select "orgId" from connections
    where connections."bot" = proposals."bot" and connections."connectedAt" <= proposals."createdAt"
  )`,
  `create index proposals_visitors on proposals ("bot", "state") where "visitor" is not null`,
  `update bots set "policy" = replace("policy", '"proposals":{"expiresMinutes":10,', '"proposals":{')`,
];
