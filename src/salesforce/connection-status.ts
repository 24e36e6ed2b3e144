import { asUuid } from '../domain/canonical-json.ts';
import type { ConnectionStatus } from '../ports/salesforce.ts';
import type { ConnectionRow } from '../ports/store.ts';
import { PAUSE_MS } from './transport/breaker.ts';
import { operatorHint } from './transport/failure-table.ts';

/** A connection as people see it, with the cure beside its last failure (O7). */
export function toStatus(row: ConnectionRow, now: number): ConnectionStatus {
  const { breakerState, breakerUntil, apiUsed, apiMax, apiAt } = row;
  return {
    state: row.state,
    id: asUuid(row.id),
    flow: row.flow,
    orgId: row.orgId,
    username: row.username,
    instanceUrl: row.instanceUrl,
    environment: row.environment,
    scopes: row.scopes,
    connectedAt: iso(row.connectedAt),
    breaker: {
      state: breakerState,
      ...(breakerState !== 'closed' && breakerUntil > now
        ? { nextTryAt: iso(Math.min(breakerUntil, now + PAUSE_MS)) }
        : {}),
    },
    successes: row.successes,
    failures: row.failures,
    ...(apiUsed === null || apiMax === null || apiAt === null
      ? {}
      : { api: { used: apiUsed, max: apiMax, at: iso(apiAt) } }),
    ...(row.lastSuccessAt === null ? {} : { lastSuccessAt: iso(row.lastSuccessAt) }),
    ...(row.lastFailureAt === null || row.lastFailureCode === null
      ? {}
      : {
          lastFailure: {
            at: iso(row.lastFailureAt),
            code: row.lastFailureCode,
            message: row.lastFailureMessage ?? '',
            // A failure noted before its cure was kept has the one of its code alone.
            next: row.lastFailureNext ?? operatorHint(row.lastFailureCode),
          },
        }),
    ...(row.lastSyncAt === null ? {} : { lastSyncAt: iso(row.lastSyncAt) }),
    ...(row.lastEventAt === null ? {} : { lastEventAt: iso(row.lastEventAt) }),
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
