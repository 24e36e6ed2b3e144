import { isRecord } from '../../domain/is-record.ts';
import { noSuchVersion } from './failure-causes.ts';
import type { Transport } from './http.ts';
import { UpstreamError } from './upstream-error.ts';

/** Which API versions an org has: `GET /services/data`, asked only where an answer could mean that ours is not among them. */
export interface Versions {
  /** The true cause of a refusal at `path`, where it is a version that the org does not have. */
  explain(base: string, path: string): Promise<UpstreamError | undefined>;
}

const KNOWN_MS = 3_600_000;

export function createVersions({
  transport,
  now,
}: {
  readonly transport: Transport;
  readonly now: () => number;
}): Versions {
  const known = new Map<string, { readonly at: number; readonly listed: readonly string[] }>();

  async function listed(base: string): Promise<readonly string[]> {
    const before = known.get(base);
    if (before !== undefined && now() - before.at < KNOWN_MS) return before.listed;
    // It needs no sign-in. Where it cannot be asked, the refusal stands as it was told.
    const answer = await transport
      .exchange({ method: 'GET', base, path: '/services/data', isRead: true })
      .catch(() => undefined);
    const list: readonly unknown[] = Array.isArray(answer?.json) ? answer.json : [];
    const versions = list.flatMap((one) => (isRecord(one) && typeof one.version === 'string' ? [one.version] : []));
    if (versions.length > 0) known.set(base, { at: now(), listed: versions });
    return versions;
  }

  return {
    async explain(base, path) {
      const asked = /^\/services\/data\/v(\d+\.\d)(\/|$)/.exec(path)?.[1];
      if (asked === undefined) return undefined;
      const versions = await listed(base);
      const newest = [...versions].sort((a, b) => Number(a) - Number(b)).at(-1);
      if (newest === undefined || versions.includes(asked)) return undefined;
      const { code, message, next, operator } = noSuchVersion(asked, newest);
      return new UpstreamError(code, message, { next, operator, outcome: 'refused', inSync: { then: 'wait' } });
    },
  };
}
