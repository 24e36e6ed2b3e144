import type { Salesforce, SObject, Soql } from '../domain/action.ts';
import { canonicalJson } from '../domain/canonical-json.ts';

/**
 * What the preview of a call read, for the run of the same call: Salesforce is not asked the same twice. A run that writes gets a record
 * only where its conditional write can prove that nobody changed it in between; what was read otherwise, or in another call, is read again.
 */
export interface SeenReads {
  /** By our clock: nothing was read before. */
  readonly since: number;
  /** The org with that memory. */
  through(org: Salesforce, reader: Reader): Salesforce;
  /** The judgement of a query, for a run that only reads. */
  judged(soql: Soql, reader: Reader): Soql;
  /** The preview is over: from here on nothing is remembered, and each answer is given once. */
  previewed(): void;
}

export interface Reader {
  /** Under what it reads: a run under another policy or connection than its preview reads for itself. */
  readonly basis: string;
  readonly isWriting: boolean;
}

export function createSeenReads(now: () => number): SeenReads {
  const seen = new Map<string, unknown>();
  let isPreview = true;

  const once =
    <Asked extends unknown[], Answer>(
      name: string,
      { basis, isWriting }: Reader,
      ask: (...asked: Asked) => Promise<Answer>,
    ) =>
    async (...asked: Asked): Promise<Answer> => {
      if (!isPreview && seen.size === 0) return ask(...asked);
      const key = canonicalJson([basis, name, asked]);
      const known = seen.get(key);
      seen.delete(key);
      // The key holds the question, so the answer is one to it.
      if (!isPreview && known !== undefined && (!isWriting || isProvable(known))) return known as Answer;
      const answer = await ask(...asked);
      if (isPreview) seen.set(key, answer);
      return answer;
    };
  const forgetting =
    <Asked extends unknown[], Answer>(write: (...asked: Asked) => Promise<Answer>) =>
    (...asked: Asked): Promise<Answer> => {
      seen.clear();
      return write(...asked);
    };

  return {
    since: now(),
    previewed() {
      isPreview = false;
    },
    judged: (soql, reader) => ({
      ...soql,
      judge: once('judge', reader, soql.judge),
      resume: once('resume', reader, soql.resume),
    }),
    through: (org, reader) => ({
      ...org,
      get: once('get', reader, org.get),
      find: once('find', reader, org.find),
      findAll: once('findAll', reader, org.findAll),
      search: once('search', reader, org.search),
      create: forgetting(org.create),
      update: forgetting(org.update),
      remove: forgetting(org.remove),
      graph: forgetting(org.graph),
      invoke: forgetting(org.invoke),
    }),
  };
}

/** Whether a write on condition of these records can notice any change since: no parent's field among them. */
function isProvable(answer: unknown): boolean {
  const records = [answer].flat(2) as readonly Partial<SObject>[]; // of whatever else, nothing is proven
  return (
    records.length > 0 &&
    records.every(
      ({ LastModifiedDate: changed, ...fields }) =>
        typeof changed === 'string' &&
        Object.values(fields).every((value) => typeof value !== 'object' || value === null),
    )
  );
}
