import { readsAsReference } from '../../domain/graph-reference.ts';
import type { Link } from '../../domain/link.ts';
import { PARTS_PER_CALL, type RowOutcome, type RowWrite, toParts } from '../remote/collection-write.ts';
import { type Acknowledged, type Answered, acknowledge, operationOf } from './acknowledge.ts';
import type { PendingWrite } from './change-set.ts';
import { MOST_ROWS } from './chunk-size.ts';
import { sendTogether } from './first-write.ts';
import { type Known, queueRoles } from './known.ts';
import type { Pass } from './pass.ts';
import { sendAlone, sendPacked, toRowWrite } from './send.ts';
import { eachAlone } from './single-records.ts';

/** Creates of a round that are repeated one by one, a call each. */
const MOST_SINGLY = 25;

type Part = readonly RowWrite<PendingWrite>[];

/** The writes of one round on their way: one by one, or packed as soon as a call of five full parts is there. */
export class Outgoing {
  /** Links whose record moved: another round looks at them again. */
  readonly again: Link[] = [];
  readonly #pass: Pass;
  readonly #known: Known;
  #waiting: readonly PendingWrite[] = [];
  readonly #stopped: PendingWrite[] = [];
  #askedSingly = 0;

  constructor(pass: Pass, known: Known) {
    this.#pass = pass;
    this.#known = known;
  }

  async send(writes: readonly PendingWrite[]): Promise<void> {
    const isSingle = (write: PendingWrite) =>
      this.#pass.how.mode === 'one' || write.plan.isContested || Object.values(write.fields).some(readsAsReference);
    for (const write of writes.filter(isSingle))
      for (const alone of await this.#sendTogether([write])) await this.#sendAlone(alone);
    this.#waiting = [...this.#waiting, ...writes.filter((write) => !isSingle(write))];
    await this.#sendPacked(fullCalls);
  }

  /** Also what fills no call. */
  async sendRest(): Promise<void> {
    this.#waiting = await this.#sendTogether(this.#waiting);
    await this.#sendPacked((parts) => parts);
  }

  /** What the pass was stopped before. */
  unsent(): readonly PendingWrite[] {
    return [...this.#stopped, ...this.#waiting];
  }

  /** First writes with all that leans on them; answers what goes by itself. */
  async #sendTogether(writes: readonly PendingWrite[]): Promise<readonly PendingWrite[]> {
    const { answered, rest, again } = await sendTogether(this.#pass, this.#known, writes);
    if (answered.length > 0) {
      await this.#acknowledge(answered);
      if (this.#pass.how.mode === 'many') await this.#pass.deps.crash?.('chunk-acknowledged');
    }
    this.again.push(...again);
    return rest;
  }

  async #sendPacked(choose: (parts: readonly Part[], size: number) => readonly Part[]): Promise<void> {
    const { deps, target, shared } = this.#pass;
    const size = shared.chunkSize.of(target.scope.orgId);
    const parts = choose(
      toParts(
        this.#waiting.map((write) => toRowWrite(target, write)),
        size,
      ),
      size,
    );
    for (let first = 0; first < parts.length; first += PARTS_PER_CALL) {
      const { outcomes, trouble } = await sendPacked(this.#pass, parts.slice(first, first + PARTS_PER_CALL));
      const answered = new Set(outcomes.map(({ item }) => item.link.id));
      this.#waiting = this.#waiting.filter(({ link }) => !answered.has(link.id));
      await deps.crash?.('chunk-sent');
      const unnamed = outcomes.filter(isUnnamed).slice(0, Math.max(0, MOST_SINGLY - this.#askedSingly));
      const rows = outcomes.filter((outcome) => !unnamed.includes(outcome)).map(toAnswered);
      for (let from = 0; from < rows.length; from += MOST_ROWS) {
        await this.#acknowledge(rows.slice(from, from + MOST_ROWS));
        await deps.crash?.('chunk-acknowledged');
      }
      if (trouble !== undefined) throw trouble;
      this.#askedSingly += unnamed.length;
      for (const { item } of unnamed) await this.#sendAlone(item);
    }
  }

  async #sendAlone(first: PendingWrite): Promise<void> {
    const { write, outcome } = await sendAlone(this.#pass, first);
    if (outcome === 'stopped') {
      this.#stopped.push(write);
      return;
    }
    if (outcome === 'changed') this.again.push(write.link);
    await this.#acknowledge(outcome === 'changed' ? [] : [{ write, outcome }]);
  }

  async #acknowledge(answered: readonly Answered[]): Promise<void> {
    const pass = this.#pass;
    const { deps, target, logRow } = pass;
    const { hasMore } = this.#known;
    const acknowledged = await eachAlone(
      pass,
      answered.map(({ write }) => write.link),
      (links) => {
        const ids = new Set(links.map(({ id }) => id));
        const outcomes = answered.filter(({ write }) => ids.has(write.link.id));
        return acknowledge(deps.store, { target, outcomes, now: deps.now(), hasMore, logRow });
      },
    );
    if (pass.how.mode === 'one') await deps.crash?.('acknowledged');
    const all = acknowledged.flat();
    pass.shared.chunkSize.adapt(
      target.scope.orgId,
      all.some(({ isOverload }) => isOverload),
    );
    for (const one of all) this.#note(one);
  }

  #note({ write, outcome, link, error, isAgain }: Acknowledged): void {
    if (isAgain && link) this.again.push(link);
    const isWritten = outcome.kind === 'written';
    if (!isAgain)
      this.#pass.note({
        link: link ?? write.link,
        operation: isWritten ? operationOf(write, outcome) : 'none',
        pushed: isWritten ? write.plan.pushed : [],
        pulled: write.plan.pulled,
        roles: (isWritten && outcome.roles) || [],
        error,
        isPartial: isWritten && write.plan.problems.length > 0,
      });
    if (isWritten && link) queueRoles(this.#pass, this.#known, write.host, link, write.dirty);
  }
}

/** Five full parts a call; the rest waits for more. */
function fullCalls(parts: readonly Part[], size: number): readonly Part[] {
  const full = parts.filter((part) => part.length === size);
  return full.slice(0, full.length - (full.length % PARTS_PER_CALL));
}

/** A duplicate rule names the look-alikes only to who creates one record by itself: asked, so that people can choose. */
const isUnnamed = ({ item, failure }: RowOutcome<PendingWrite>): boolean =>
  item.kind === 'create' &&
  failure?.then === 'match' &&
  failure.mayBeDone !== true &&
  failure.error.candidates === undefined;

const toAnswered = ({ item: write, id, isCreated, failure }: RowOutcome<PendingWrite>): Answered => ({
  write,
  outcome: failure ? { kind: 'failed', failure } : { kind: 'written', id, isCreated },
});
