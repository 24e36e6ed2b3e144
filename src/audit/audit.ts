import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { breathe } from '../domain/breath.ts';
import { canonicalJson, deriveKey, hmacSha256, sha256 } from '../domain/canonical-json.ts';
import type { Log } from '../ports/log.ts';
import type { AuditEntry, AuditRow, AuditStore } from '../ports/store.ts';
import { type ChainHeadStore, createChainHead } from './chain-head.ts';
import { createTornHead } from './torn-head.ts';

/** Who set what. */
export interface Setter {
  /** `operator:NAME`, or `local` for whoever owns the data folder of a simulated org. */
  readonly principal: string;
  readonly channel: 'rest' | 'cli' | 'console';
}

/**
 * The append-only record of decisions. Each row's hash is keyed with our secret and covers the row before it, so a row that
 * was edited, removed, reordered or added by somebody without the secret shows. A cut tail leaves a chain that is whole in
 * itself: the head (number and hash of the last row) is therefore signed and kept outside the database too.
 */
export interface Audit {
  /** Resolves when the row is durable: nothing is answered before it is written down. */
  record(entry: AuditInput): Promise<AuditRow>;
  /** For a row that belongs to a transaction: appended inside it, and `keep` called once it is committed. */
  append(entry: AuditInput, inside: { readonly audit: AuditStore }): Promise<AuditRow>;
  keep(row: AuditRow): Promise<void>;
  /** Keeps the head of the rows as they are now. Throws where it cannot be kept: nothing may leave for Salesforce then. */
  prove(): Promise<void>;
  /** Whether the head of a row that follows may be kept later: it could be just now. */
  isKeepable(): Promise<boolean>;
  verify(): Promise<AuditVerdict>;
  /** Whether the row is as we wrote it, for who acts on what it says. */
  isIntact(row: AuditRow): boolean;
  /** Decrypted before and after values, while retention lets them live. */
  unsealed(row: AuditRow): Readonly<Record<string, unknown>> | undefined;
  /** Rows as JSON lines, in order, sealed values left out; `time` says `at` in words. */
  export(between?: {
    readonly since?: number | undefined;
    readonly until?: number | undefined;
  }): AsyncGenerator<string>;
  /** Drops sealed values older than the retention. */
  forget(before: number): Promise<number>;
}

export type AuditInput = Partial<Omit<AuditEntry, 'at' | 'detail' | 'sealed'>> & {
  readonly principal: string;
  readonly channel: string;
  readonly action: string;
  readonly event: string;
  /** Masked; no values of records. */
  readonly detail?: Readonly<Record<string, unknown>>;
  /** Kept encrypted: before and after values. */
  readonly sealed?: Readonly<Record<string, unknown>>;
};

export type AuditVerdict =
  | { readonly ok: true; readonly rows: number }
  | { readonly ok: false; readonly rows: number; readonly seq: number; readonly problem: string };

export interface AuditDeps {
  readonly store: { readonly audit: AuditStore };
  readonly secret: string;
  readonly heads: ChainHeadStore;
  readonly now: () => number;
  readonly log: Log;
  /** Hears what each look at the whole chain found. */
  readonly onVerdict?: (verdict: AuditVerdict) => Promise<void>;
}

const START = '0'.repeat(64);
export function createAudit(deps: AuditDeps): Audit {
  const chainKey = deriveKey(deps.secret, 'audit chain').toString('hex');
  const sealKey = deriveKey(deps.secret, 'audit values');
  const hashOf = (row: Omit<AuditRow, 'hash'>) => {
    // The sealed text itself stays out: erasing it must not break the chain. Its hash stays in.
    const { sealed: _, ...covered } = row;
    return hmacSha256(chainKey, canonicalJson(covered));
  };
  const sign = (head: string) => hmacSha256(chainKey, head);
  const head = createChainHead({ audit: deps.store.audit, heads: deps.heads, hashOf, sign, log: deps.log });

  const append: Audit['append'] = ({ detail, sealed, ...entry }, inside) =>
    inside.audit.append(
      {
        bot: null,
        decision: null,
        assurance: null,
        proposal: null,
        digest: null,
        policyRevision: null,
        object: null,
        recordId: null,
        ...entry,
        at: deps.now(),
        detail: canonicalJson(detail ?? {}),
        sealed: sealed === undefined ? null : encrypt(sealKey, JSON.stringify(sealed)),
      },
      hashOf,
    );

  const look = async (): Promise<AuditVerdict> => {
    let previous = START;
    let rows = 0;
    const { kept: own, isBroken } = head.state();
    const isSigned = ([seq, hash, signature]: readonly string[]) => sign(`${seq} ${hash}`) === signature;
    const lines = await deps.heads.all((line) => isSigned(line.split(' ')));
    const heads = lines.map((line) => line.split(' ')).filter(isSigned);
    const unsigned = lines.filter((line) => !isSigned(line.split(' ')));
    const torn = new Map(unsigned.map((line) => [line, createTornHead(line)]));
    const expected = new Map<number, string>();
    const signed = heads.map(([seq, hash = '']) => ({ seq: Number(seq), hash }));
    // Two rows were signed under one number: no row can be both, and somebody cut the chain between.
    for (const { seq, hash } of own === undefined ? signed : [...signed, own])
      expected.set(seq, (expected.get(seq) ?? hash) === hash ? hash : 'neither');
    const wrong = (problem: string): AuditVerdict => ({ ok: false, rows, seq: rows + 1, problem });
    for (let after: number | undefined; ; after = rows) {
      const page = await deps.store.audit.page(after, 500);
      for (const row of page) {
        // Of the first page alone: it begins below every number that a row could be given by hand.
        if (row.seq < 1) return wrong('a row stands before the first one');
        if (row.seq !== rows + 1) return wrong(`row ${rows + 1} is missing`);
        if (row.previous !== previous) return wrong('it does not follow the row before it');
        const { hash, ...rest } = row;
        if (hashOf(rest) !== hash) return wrong('it was edited');
        if (row.sealed !== null && sha256(row.sealed) !== row.sealedHash) return wrong('its sealed values were edited');
        if (expected.has(row.seq) && expected.get(row.seq) !== hash) return wrong('it is not the row that was signed');
        for (const [line, one] of torn)
          if (one.isOf(`${row.seq} ${hash} ${sign(`${row.seq} ${hash}`)}`)) torn.delete(line);
        previous = hash;
        rows += 1;
      }
      if (page.length === 0) break;
      await breathe();
    }
    for (const [line] of torn)
      return {
        ok: false,
        rows,
        seq: Number.parseInt(line, 10) || 0,
        problem: `a kept head in ${deps.heads.where} is not signed by us`,
      };
    const last = Math.max(0, ...expected.keys());
    if (last > rows) return wrong(`the end is cut off: ${last} rows were signed, ${rows} are there`);
    if (isBroken && own !== undefined)
      return { ok: false, rows, seq: own.seq + 1, problem: `rows were written that did not follow row ${own.seq}` };
    // Also where another machine keeps heads for the same database: only there is it known how long the chain was.
    if (rows > 0 && lines.length === 0)
      return wrong(`no signed head is kept in ${deps.heads.where}, so that nothing shows whether rows were cut off`);
    return { ok: true, rows };
  };

  return {
    append,
    keep: head.keep,
    prove: head.prove,
    isKeepable: head.isKeepable,
    async record(entry) {
      const row = await append(entry, deps.store);
      await head.keep(row);
      return row;
    },

    async verify() {
      const verdict = await look();
      await deps.onVerdict?.(verdict);
      return verdict;
    },

    isIntact({ hash, ...row }) {
      return hashOf(row) === hash && (row.sealed === null || sha256(row.sealed) === row.sealedHash);
    },

    unsealed(row) {
      if (row.sealed === null) return undefined;
      // Sealed by `record` alone, from an object.
      return JSON.parse(decrypt(sealKey, row.sealed)) as Record<string, unknown>;
    },

    async *export({ since = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY } = {}) {
      let after: number | undefined;
      for (;;) {
        const page = await deps.store.audit.page(after, 500);
        for (const { sealed: _, detail, ...row } of page) {
          if (row.at < since || row.at >= until) continue;
          yield JSON.stringify({ ...row, time: new Date(row.at).toISOString(), detail: JSON.parse(detail) });
        }
        const last = page.at(-1);
        if (last === undefined) return;
        after = last.seq;
      }
    },

    async forget(before) {
      let dropped = 0;
      for (;;) {
        const seqs = await deps.store.audit.sealedBefore(before, 500);
        if (seqs.length === 0) return dropped;
        await deps.store.audit.unseal(seqs);
        dropped += seqs.length;
      }
    },
  };
}

function encrypt(key: Buffer, text: string): string {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, iv);
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64');
}

function decrypt(key: Buffer, sealed: string): string {
  const bytes = Buffer.from(sealed, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12));
  decipher.setAuthTag(bytes.subarray(12, 28));
  return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8');
}
