import type { DeploymentRow, DeployReport } from '../ports/org-deploy.ts';

/** What is kept of a deployment, as people may see it: without what is sealed. */

interface Checked {
  /** What the permission set gives after it and did not before, and the other way round. */
  readonly gains: readonly string[];
  readonly loses: readonly string[];
  /** No set of that name is in the org. */
  readonly isNew: boolean;
  readonly report?: DeployReport;
}

interface Outcome {
  readonly report: DeployReport;
  /** What became of giving the set to the connected user. */
  readonly assigned?: string;
}

/** Written by us alone, so their shape is known. */
export const reportOf = (checked: string | null): Checked =>
  checked === null ? { gains: [], loses: [], isNew: false } : (JSON.parse(checked) as Checked);

export function toShown(row: DeploymentRow) {
  const { id, bot, principal, orgId, digest, permissionSet, state, username, deployId } = row;
  const { report, ...changes } = reportOf(row.checked);
  const done = row.outcome === null ? undefined : (JSON.parse(row.outcome) as Outcome);
  return {
    ...{ id, bot, by: principal, orgId, digest, permissionSet, state },
    withEvents: row.withEvents === 1,
    createdAt: new Date(row.createdAt).toISOString(),
    expiresAt: new Date(row.expiresAt).toISOString(),
    ...(username === null ? {} : { username }),
    ...(report === undefined ? {} : { check: { ...changes, ...toShownReport(report) } }),
    ...(deployId === null ? {} : { deployId }),
    ...(done === undefined ? {} : { result: toShownReport(done.report) }),
    ...(done?.assigned === undefined ? {} : { assigned: done.assigned }),
    ...(row.problem === null
      ? {}
      : { problem: JSON.parse(row.problem) as { readonly message: string; readonly next: string; quote?: string } }),
    /** Its sign-in stands no more, as far as we know. */
    isSignInOver: row.sealed === null,
  };
}

const toShownReport = ({ status, isGood, parts, failures }: DeployReport) => ({ status, isGood, parts, failures });
