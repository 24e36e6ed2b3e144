import type { Proposal } from '../../domain/proposal.ts';
import type { ConversationRow, MessageRow } from '../../ports/conversations.ts';
import type { DeploymentRow } from '../../ports/org-deploy.ts';
import type {
  AccessGrantRow,
  AccessTokenRow,
  AuditRow,
  AuthCodeRow,
  BotRow,
  ConnectionRow,
  DeclaredRevision,
  KeyRow,
  McpSessionRow,
  OperatorRow,
  SessionRow,
} from '../../ports/store.ts';

/** The columns as Kysely sees them; `migrations/` makes them. Other rooms add their own by `kysely.withTables`. */
export interface Tables {
  bots: Omit<BotRow, 'grants' | 'policy' | 'declared'> & { readonly policy: string; readonly declared: string };
  declaredActions: Omit<DeclaredRevision, 'declaration' | 'by' | 'at'> & {
    readonly bot: string;
    readonly text: string | null;
    readonly createdBy: string;
    readonly createdAt: number;
  };
  grants: { readonly bot: string; readonly permission: string };
  policies: {
    readonly bot: string;
    readonly revision: number;
    readonly at: number;
    readonly by: string;
    readonly policy: string;
  };
  keys: KeyRow;
  operators: OperatorRow;
  roles: RoleTable;
  signInLinks: { readonly hash: string; readonly operator: string; readonly expiresAt: number };
  sessions: SessionRow;
  connections: ConnectionRow;
  proposals: ProposalTable;
  audit: AuditRow;
  auditHead: { readonly id: number; readonly seq: number; readonly hash: string };
  counters: { readonly key: string; readonly window: number; readonly count: number };
  conversations: ConversationRow;
  messages: MessageRow;
  mcpSessions: McpSessionRow;
  accessGrants: AccessGrantRow;
  authCodes: AuthCodeRow;
  accessTokens: AccessTokenRow;
  orgDeployments: DeploymentRow;
  keptValues: {
    readonly kind: string;
    readonly key: string;
    readonly value: string;
    readonly expiresAt: number | null;
  };
}

export interface RoleTable {
  readonly name: string;
  readonly permissions: string;
  readonly bots: string | null;
  readonly createdAt: number;
}

/** Parts of a proposal that are JSON text in their column. */
export const PROPOSAL_JSON = [
  'args',
  'preview',
  'reasons',
  'session',
  'visitor',
  'effects',
  'result',
  'error',
] as const;

type ProposalJson = (typeof PROPOSAL_JSON)[number];

export type ProposalTable = {
  readonly [K in keyof Proposal]: K extends ProposalJson
    ? null extends Proposal[K]
      ? string | null
      : string
    : Proposal[K];
} & {
  /** The record that the preview names, for what is looked up by it. */
  readonly target: string | null;
};
