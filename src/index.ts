/** Gatehouse as a library: put the house together yourself, and write actions for it. */
export { type Policy, parsePolicy, shippedPolicy } from '../permissions/policy.ts';
export { type App, type AppOptions, createApp } from './app/app.ts';
export {
  type Action,
  type ActionContext,
  defineAction,
  type Preview,
  type Risk,
  type Salesforce,
} from './domain/action.ts';
export { type ErrorBody, type ErrorCode, GatehouseError, toErrorBody } from './domain/errors.ts';
export type { Envelope, Proposal, ProposalView } from './domain/proposal.ts';
export type { Config } from './ports/config.ts';
export type { Approvals, Call, Gate, HumanDecision, ListedAction, Retention } from './ports/gate.ts';
export { readConfig } from './runtime/config.ts';
