/** A token opens one door: the address of outbound messages, or the one that Flows call. When it was last used says whether the new one is in place. */
export const inboundKinds: readonly string[] = [
  `alter table "inboundTokens" add column "kind" text not null default 'address'`,
  `alter table "inboundTokens" add column "usedAt" bigint`,
  `update "inboundTokens" set "usedAt" = (
    select "lastEventAt" from connections where connections."bot" = "inboundTokens"."bot"
  )`,
];
