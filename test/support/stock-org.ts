/**
 * Whether this run plays in a stock org: the simulated one without any field of ours. The vitest project `stock` says so, and
 * every world reads it here.
 */
export const isStock = process.env.GATEHOUSE_SIM_SEED === 'stock';

/** What a house in such a run is started with. */
export const stockOrg: Readonly<Record<string, string>> = isStock ? { GATEHOUSE_SIM_SEED: 'stock' } : {};

/** What an operator sets up in the policy for it: where its numbers stand. */
export const stockPolicy = isStock
  ? { lookups: { accountKey: 'AccountNumber', opportunityReference: 'TrackingNumber__c' } }
  : {};
