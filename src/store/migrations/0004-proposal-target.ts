/** Which record a proposal is about, and what is due, by index: ten thousand that wait must not slow the next one. */
export const proposalTarget: readonly string[] = [
  `alter table proposals add column "target" text`,
  `create index proposals_target on proposals ("bot", "target") where "state" = 'pending'`,
  `create index proposals_expiry on proposals ("state", "expiresAt")`,
  `create index proposals_made on proposals ("state", "createdAt")`,
  `create index proposals_settled on proposals ("settledAt")`,
];
