import type { App } from '../../app/app.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { parseOrThrow } from '../../domain/validation.ts';
import { type Repeat, repeatInput, WEEKDAYS } from '../../domain/wall-clock.ts';
import { botNamed } from '../../policy/permit.ts';
import type { Org } from '../../ports/salesforce.ts';
import { askOperatorOnceReal, principalOf } from '../ask-operator.ts';
import { defineCommand, UsageError } from '../command.ts';
import { KINDS, type Kind } from '../sync-kind.ts';
import { columns } from '../terminal.ts';

export const command = defineCommand({
  args: ['<bot>'],
  options: {
    object: { value: 'object', about: 'only these (default: people first, then cases)', choices: KINDS },
    batch: { about: 'all of them, not only what changed; what a killed run left is done by the next' },
    preview: { about: 'with --batch: what it would do, from one look at Salesforce; nothing is written' },
    report: { value: 'batch', about: 'what a batch came to, by its id' },
    pause: { value: 'batch', about: 'stop a batch, also one that another process runs; its job at Salesforce ends' },
    resume: { value: 'batch', about: 'let it go on, by a server or worker' },
    cancel: { value: 'batch', about: 'end it, and the job that Salesforce works on; what was done stays' },
    every: {
      value: 'day|week',
      about: 'with --batch: again and again, by a server or worker',
      choices: ['day', 'week'],
    },
    on: { value: 'weekday', about: 'with --every week', choices: WEEKDAYS },
    at: { value: 'HH:MM', about: 'with --every: the time of the day' },
    zone: { value: 'zone', about: 'with --every: whose clocks, such as Europe/Berlin' },
  },

  async run(call) {
    const {
      args: [name],
      options,
      terminal,
    } = call;
    const app = await call.openApp();
    const { name: bot } = await botNamed(app.store, name);
    if (options.report !== undefined) {
      const report = await (await app.sync()).batches.report(bot, options.report);
      terminal.print(report, columns(Object.entries(report).map(toCells)));
      return;
    }
    const word = WORDS.find((one) => options[one] !== undefined);
    if (word !== undefined) {
      const operator = await askOperatorOnceReal(call, app, 'MANAGE_MAPPINGS');
      const told = await say(app, bot, principalOf(operator), word, options[word] ?? '');
      terminal.print(told, columns(Object.entries(told).map(toCells)));
      return;
    }
    if (options.preview && !options.batch) throw new UsageError('A preview is of a batch.', 'Say --batch --preview.');
    const repeat = readRepeat(options);
    // What changed alone is what serve and worker do unasked; all of it is a decision, here as over REST.
    const operator =
      options.batch && !options.preview ? await askOperatorOnceReal(call, app, 'MANAGE_MAPPINGS', name) : undefined;
    const stopped = new AbortController();
    process.once('SIGINT', () => stopped.abort());
    const org = await app.connections.open(bot, { signal: stopped.signal, background: true });
    const runNow = options.batch ? batcher(principalOf(operator), repeat) : runDue;
    const run = options.preview ? preview : runNow;
    const synced: Readonly<Record<string, string | number>>[] = [];
    const kinds = options.object === undefined ? KINDS : [options.object];
    const refused: GatehouseError[] = [];
    for (const kind of kinds) {
      try {
        synced.push({ object: kind, ...(await run(app, bot, org, kind)) });
      } catch (error) {
        // Policy may stop one kind and not the other.
        if (!(error instanceof GatehouseError) || !['off', 'permission_denied'].includes(error.code)) throw error;
        refused.push(error);
        synced.push({ object: kind, waits: `${error.message} ${error.next}` });
      }
    }
    if (refused[0] && refused.length === kinds.length) throw refused[0];
    const { quietHours } = (await (await app.sync()).status(bot)) ?? {};
    if (quietHours?.endsAt !== undefined && repeat === undefined)
      terminal.note(`Quiet hours until ${quietHours.endsAt}: this went because you asked for it.`);
    terminal.print({ bot, synced }, synced.map((one) => columns(Object.entries(one).map(toCells))).join('\n\n'));
  },
});

const EVENTS = { pause: 'batch_paused', resume: 'batch_resumed', cancel: 'batch_cancelled' } as const;
const WORDS = ['pause', 'resume', 'cancel'] as const;

/** A person's word on a batch that stands, whoever runs it. */
async function say(app: App, bot: string, principal: string, word: (typeof WORDS)[number], batch: string) {
  const { id, kind, state, total, done, failed } = await (await app.sync()).batches[word](bot, batch);
  await app.audit.record({
    ...{ bot, principal, channel: 'cli', action: 'sync', event: EVENTS[word] },
    detail: { batch: id, kind },
  });
  return { batch: id, object: kind, state, total, done, failed };
}

/** What changed on our side since the last time, and what waits for another try. */
async function runDue(app: App, bot: string, org: Org, kind: Kind) {
  const { runner } = await app.sync();
  const tally = { create: 0, update: 0, delete: 0, none: 0, failed: 0, problems: 0 };
  await runner.ensureLinks(bot, org, kind);
  for (;;) {
    const { claimed, results } = await runner.runClaims(bot, org, kind, { due: 'dirty' });
    for (const { operation, error } of results.values()) tally[error === null ? operation : 'failed'] += 1;
    if (claimed === 0) return { ...tally, problems: await countProblems(app, bot, org, kind) };
  }
}

/** One batch to its end, or at its times by a server or worker. */
const batcher =
  (principal: string, repeat: Repeat | undefined) => async (app: App, bot: string, org: Org, kind: Kind) => {
    const { batches } = await app.sync();
    const { id, state, startAt } = await batches.start(bot, org.orgId, kind, repeat && { repeat });
    await app.audit.record({
      ...{ bot, principal, channel: 'cli', action: 'sync', event: 'batch_started' },
      detail: { batch: id, kind, ...(repeat && { repeat }) },
    });
    if (repeat) return { batch: id, state, next: new Date(startAt).toISOString() };
    await batches.work(bot, org);
    const { state: end, total, done, failed, calls } = await batches.status(bot, id);
    return { batch: id, state: end, total, done, failed, problems: await countProblems(app, bot, org, kind), calls };
  };

async function preview(app: App, bot: string, org: Org, kind: Kind) {
  return { ...(await (await app.sync()).batches.preview(bot, org, kind)) };
}

/** Said by one option or several: all of them, or none. */
function readRepeat({
  batch,
  every,
  on,
  at,
  zone,
}: Readonly<Record<'every' | 'on' | 'at' | 'zone', string | undefined>> & { readonly batch: boolean }) {
  if (every === undefined && on === undefined && at === undefined && zone === undefined) return undefined;
  if (!batch || every === undefined)
    throw new UsageError(
      'A time is for a batch that comes again.',
      'Say --batch --every day --at 02:30 --zone Europe/Berlin.',
    );
  const given = { every, at, zone, ...(on === undefined ? {} : { on }) };
  return parseOrThrow(repeatInput, given, { what: 'The time', whole: '(time)' });
}

/** What stands, also from before: a run that met nothing new is no proof that all is well. `status` has the cures. */
async function countProblems(app: App, bot: string, { orgId }: Org, kind: Kind): Promise<number> {
  const { manualLinks } = await app.sync();
  return manualLinks.countProblems(bot, orgId, kind);
}

function toCells([name, value]: [string, string | number]): string[] {
  return [name, String(value)];
}
