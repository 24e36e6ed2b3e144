import type { Database } from './engines/database.ts';
import { core } from './migrations/0001-core.ts';
import { sync } from './migrations/0002-sync.ts';
import { chat } from './migrations/0003-chat.ts';
import { proposalTarget } from './migrations/0004-proposal-target.ts';
import { proposalOrg } from './migrations/0005-proposal-org.ts';
import { mcpSessions } from './migrations/0006-mcp-sessions.ts';
import { doors } from './migrations/0007-doors.ts';
import { syncTurns } from './migrations/0008-sync-turns.ts';
import { faults } from './migrations/0009-faults.ts';
import { asked } from './migrations/0012-asked.ts';
import { repeats } from './migrations/0013-repeats.ts';
import { auditAt } from './migrations/0014-audit-at.ts';
import { streams } from './migrations/0015-streams.ts';
import { proposalUser } from './migrations/0016-proposal-user.ts';
import { inboundKinds } from './migrations/0017-inbound-kinds.ts';
import { declaredActions } from './migrations/0018-declared-actions.ts';
import { fieldTimes } from './migrations/0019-field-times.ts';
import { bulk } from './migrations/0020-bulk.ts';
import { transitions } from './migrations/0021-transitions.ts';
import { left } from './migrations/0022-left.ts';
import { identity } from './migrations/0025-identity.ts';
import { kept } from './migrations/0026-kept.ts';
import { recordHints } from './migrations/0027-record-hints.ts';
import { loads } from './migrations/0028-loads.ts';
import { roles } from './migrations/0029-roles.ts';
import { orgDeployments } from './migrations/0032-org-deployments.ts';
import type { SCHEMA_VERSION } from './schema-version.ts';

/** Of one step: the same text for both databases, or one for each where they have no words in common. */
export type Statement = string | Readonly<Record<Database['dialect'], string>>;

/**
 * Every step of the schema, in order, for both databases alike. Add yours at the end; never change one that was released:
 * the number of steps a database has taken is all that it remembers.
 */
export const MIGRATIONS = [
  core,
  sync,
  chat,
  proposalTarget,
  proposalOrg,
  mcpSessions,
  doors,
  syncTurns,
  faults,
  asked,
  repeats,
  auditAt,
  streams,
  proposalUser,
  inboundKinds,
  declaredActions,
  fieldTimes,
  bulk,
  transitions,
  left,
  identity,
  kept,
  recordHints,
  loads,
  roles,
  orgDeployments,
] as const satisfies readonly (readonly Statement[])[] & { readonly length: typeof SCHEMA_VERSION };
