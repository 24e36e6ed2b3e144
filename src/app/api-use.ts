import type { Store } from '../ports/store.ts';

/** How much of its org's daily API calls was used, by the hour: of what every answer says, only the last is kept elsewhere. */
export interface ApiUse {
  /** Notes the hour that runs, of every connection that was used in it. */
  note(): Promise<void>;
  /** What is known of a time, oldest first; now included. */
  of(bot: string, from: number, to: number): Promise<readonly ApiSample[]>;
}

export interface ApiSample {
  /** Of the hour. */
  readonly at: number;
  readonly used: number;
  readonly max: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const KEPT_MS = 100 * DAY_MS;
const KIND = 'api use';

export function createApiUse(
  { connections, values }: Pick<Store, 'connections' | 'values'>,
  now: () => number,
): ApiUse {
  /** One value holds the hours of a day. */
  const day = async (bot: string, org: string, at: number): Promise<readonly ApiSample[]> =>
    JSON.parse((await values.get(KIND, keyOf(bot, org, at), now())) ?? '[]'); // ours

  return {
    async note() {
      for (const { bot, orgId, apiAt, apiUsed, apiMax } of await connections.list()) {
        if (apiAt === null || apiUsed === null || apiMax === null) continue;
        const at = Math.floor(apiAt / HOUR_MS) * HOUR_MS;
        const known = await day(bot, orgId, at);
        const last = known.find((sample) => sample.at === at);
        if (last?.used === apiUsed && last.max === apiMax) continue;
        const samples = [...known.filter((sample) => sample.at !== at), { at, used: apiUsed, max: apiMax }];
        await values.set(KIND, keyOf(bot, orgId, at), JSON.stringify(samples), at + KEPT_MS);
      }
    },
    async of(bot, from, to) {
      const row = await connections.get(bot);
      if (row === undefined) return [];
      const days: ApiSample[] = [];
      for (let at = Math.floor(from / DAY_MS) * DAY_MS; at < to; at += DAY_MS)
        days.push(...(await day(bot, row.orgId, at)));
      const { apiAt, apiUsed, apiMax } = row;
      const latest =
        apiAt === null || apiUsed === null || apiMax === null ? [] : [{ at: apiAt, used: apiUsed, max: apiMax }];
      const hourOf = (at: number) => Math.floor(at / HOUR_MS) * HOUR_MS;
      return [...days.filter(({ at }) => latest.every((now) => hourOf(now.at) !== at)), ...latest]
        .filter(({ at }) => at >= from - HOUR_MS && at <= to)
        .sort((one, other) => one.at - other.at);
    },
  };
}

/** Of one org: another one's budget is another's. */
function keyOf(bot: string, org: string, at: number): string {
  return `${bot} ${org} ${Math.floor(at / DAY_MS)}`;
}
