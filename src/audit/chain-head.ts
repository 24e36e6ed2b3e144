import type { Log } from '../ports/log.ts';
import type { AuditRow, AuditStore } from '../ports/store.ts';

/**
 * The last row of the audit as this process signed it. It moves along the chain alone, so that rows grown over a cut never
 * take the place of what was signed: whoever can write the database, and has not our secret, cannot make a cut whole again.
 */
export interface ChainHead {
  keep(row: AuditRow): Promise<void>;
  /** Signs the last row there is and writes it down anew, also where nothing was added: throws where that cannot be. */
  prove(): Promise<void>;
  /** Writes the head down as it stands: false where that cannot be, or none is there yet. */
  isKeepable(): Promise<boolean>;
  state(): { readonly kept: Head | undefined; readonly isBroken: boolean };
}

type Row = Head & Pick<AuditRow, 'previous'>;

export interface Head {
  readonly seq: number;
  readonly hash: string;
}

/** Of every kept head, blanks after it included: two hashes, two blanks, and the longest number that a row can have. */
export const HEAD_LENGTH = 64 + 1 + 64 + 1 + 16;

/** Where signed heads live, away from the rows. Several processes may each keep their own. */
export interface ChainHeadStore {
  /** For a person: where to look for them. */
  readonly where: string;
  keep(head: string): Promise<void>;
  /** One that another process is just writing is read until it `isSigned`. */
  all(isSigned: (head: string) => boolean): Promise<readonly string[]>;
  /** Drops heads of earlier processes that `isOutdone` finds covered by a later row of the same chain. */
  dropOlder(isOutdone: (head: string) => Promise<boolean>): Promise<void>;
}

export interface ChainHeadDeps {
  readonly audit: Pick<AuditStore, 'page' | 'head'>;
  readonly heads: ChainHeadStore;
  /** The hash that a row must have. */
  readonly hashOf: (row: Omit<AuditRow, 'hash'>) => string;
  /** Signs a head. */
  readonly sign: (head: string) => string;
  readonly log: Log;
}

/** Rows that one call checks at most: a process that was idle while others wrote catches up over several calls. */
const WALK = 500;
/** A head of an earlier process that lies further back is not followed up to ours: it stays, which costs nothing. */
const FAR = 10_000;

export function createChainHead({ audit, heads, hashOf, sign, log }: ChainHeadDeps): ChainHead {
  let kept: Head | undefined;
  let isBroken = false;
  let keeping: Promise<void> = Promise.resolve();

  /** From a head along the rows that follow from it, `to` at most; undefined where one does not, or is missing. */
  const walk = async (from: Head, to: number): Promise<Head | undefined> => {
    const steps = Math.min(to - from.seq, WALK);
    let at = from;
    for (const row of await audit.page(from.seq, steps)) {
      const { hash, ...rest } = row;
      if (row.seq !== at.seq + 1 || row.previous !== at.hash || hashOf(rest) !== hash) return undefined;
      at = { seq: row.seq, hash };
    }
    return at.seq === from.seq + steps ? at : undefined;
  };

  const signAndKeep = async ({ seq, hash }: Head) => {
    const text = `${seq} ${hash}`;
    await heads.keep(`${text} ${sign(text)}`);
    kept = { seq, hash };
  };

  /** A head that the chain does not lead on from stays: it is the proof that somebody cut the chain before us. */
  const isOutdone = async (line: string, row: Head): Promise<boolean> => {
    const [seq, hash = '', signature] = line.split(' ');
    if (sign(`${seq} ${hash}`) !== signature) return false;
    const older = { seq: Number(seq), hash };
    if (older.seq > row.seq || row.seq - older.seq > FAR) return false;
    let at: Head | undefined = older;
    while (at !== undefined && at.seq < row.seq) at = await walk(at, row.seq);
    if (at?.hash === row.hash) return true;
    log.error('the audit was cut or changed behind a row that an earlier process signed', { seq: older.seq });
    return false;
  };

  /** Along rows in their order; what is signed and kept is where they lead, once for all of them. */
  const move = async (rows: readonly Row[]) => {
    let at: Head | undefined = kept;
    for (const row of rows) {
      if (isBroken) break;
      if (at === undefined) {
        await signAndKeep(row);
        at = kept;
        await heads.dropOlder((line) => isOutdone(line, row));
      } else if (row.seq > at.seq || (row.seq === at.seq && row.hash !== at.hash)) {
        // Nearly always our own next row: its hash covers ours, and nothing needs to be read.
        const next: Head | undefined =
          row.seq === at.seq + 1 && row.previous === at.hash ? row : await walk(at, row.seq);
        if (next !== undefined && next.seq > at.seq) at = next;
        else {
          isBroken = true;
          log.error('the audit was cut or changed: its rows do not follow from the one signed last', { seq: at.seq });
        }
      }
    }
    if (at !== undefined && at !== kept) await signAndKeep(at);
  };

  let waiting: Row[] = [];
  const moveOn = async () => {
    const rows = waiting.sort((one, other) => one.seq - other.seq);
    waiting = [];
    try {
      await move(rows);
    } catch (error) {
      // Not kept: whoever comes next fails too, or has it kept beside their own.
      waiting.push(...rows.slice(-1));
      throw error;
    }
  };

  const prove = async () => {
    const seq = (await audit.head())?.seq ?? 0;
    if (kept !== undefined && kept.seq >= seq) return;
    const [row] = seq === 0 ? [] : await audit.page(seq - 1, 1);
    if (row === undefined) return;
    const before = kept;
    const { hash, ...rest } = row;
    // A process signs what it wrote itself; of a row that another one wrote it knows by its hash that one of ours did.
    if (before !== undefined || hashOf(rest) === hash) await move([row]);
    if (kept !== undefined && kept === before) await signAndKeep(kept);
  };

  /** One at a time: each starts from where the one before it came to. */
  const inTurn = (step: () => Promise<void>) => {
    keeping = keeping.catch(() => {}).then(step);
    return keeping;
  };

  return {
    keep(row) {
      waiting.push(row);
      // Each takes along who came meanwhile.
      return inTurn(moveOn);
    },
    prove: () => inTurn(prove),
    isKeepable: () =>
      inTurn(async () => {
        if (kept === undefined) throw new Error('no head yet');
        await signAndKeep(kept);
      }).then(
        () => true,
        () => false,
      ),
    state: () => ({ kept, isBroken }),
  };
}
