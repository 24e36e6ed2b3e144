/** Gatehouse as a library: put the house together yourself, and write actions for it. */
export { type Policy, parsePolicy, shippedPolicy } from '../permissions/policy.ts';
export { type Action, type ActionContext, defineAction, type Preview, type Risk, type Salesforce } from './action.ts';
export { type App, type AppOptions, createApp } from './app.ts';
export { type Config, readConfig } from './config.ts';
export type { Envelope, Proposal, ProposalView } from './confirm/proposal.ts';
export { type ErrorBody, type ErrorCode, GatehouseError, toErrorBody } from './errors.ts';
export type { Call, Gate, HumanDecision, ListedAction } from './gate/gate.ts';
