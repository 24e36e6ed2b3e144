import { z } from 'zod';
import type { Fields, FieldValue } from '../../domain/action.ts';
import { fieldsAnswer, kindAnswer, momentAnswer, problemAnswer } from '../../domain/answers.ts';
import { GatehouseError, toErrorBody } from '../../domain/errors.ts';
import { ownField } from '../../domain/host-fields.ts';
import { isRecord } from '../../domain/is-record.ts';
import type { Link } from '../../domain/link.ts';
import { maskedFields, maskedProblem } from '../../domain/masked.ts';
import { defineRoute } from '../../ports/route.ts';
import type { HostRecord } from '../../ports/sync-store.ts';
import { syncSummary } from '../jobs/summary.ts';
import type { RemoteRecord } from '../mapping/compile.ts';
import { lookUp } from '../remote/look-up.ts';
import { columnsOf, toRow } from '../remote/soql-read.ts';
import { mappingOf, openTarget, type Target } from '../remote/target.ts';
import { hoursAnswer, linkAnswer } from './answers.ts';
import { missing, noteOf, parsePart, type RouteDeps, scopeOf } from './deps.ts';
import { hostId, kindInput, partyListInput, toPartyInput } from './inputs.ts';
import { shownLink } from './links.ts';
import { seesValues } from './values.ts';

const doneAnswer = z.strictObject({ id: z.string(), at: momentAnswer });
const lineAnswer = z.strictObject({
  local: z.array(z.string()),
  remote: z.array(z.string()),
  direction: z.enum(['both', 'to_crm', 'from_crm']),
  host: fieldsAnswer,
  crm: fieldsAnswer,
  isSame: z.boolean(),
});

/** How a bot's sync stands, and one record on both sides. */
export function oneRoutes(deps: RouteDeps) {
  const { store, sync, openOrg, requireBot } = deps;
  const read = { who: ['operator'], permission: 'READ_LOGS' } as const;
  const base = '/api/bots/{bot}';

  return [
    defineRoute({
      ...read,
      method: 'GET',
      path: `${base}/sync`,
      summary: 'How the sync stands at a glance, without a call to Salesforce.',
      answer: z.strictObject({
        inStep: z.int(),
        waits: z.int().describe('For a turn, or for the next try'),
        needsYou: z.int().describe('Stand until somebody acts'),
        ready: z
          .array(z.strictObject({ kind: kindAnswer, count: z.int(), first: z.string() }))
          .describe('Records of the host app that have never been in Salesforce'),
        lastGood: doneAnswer.optional(),
        lastFailed: doneAnswer.optional(),
        lastEventAt: momentAnswer.optional(),
        addressSince: momentAnswer.optional().describe('Of the address for outbound messages that works now'),
        addressUsedAt: momentAnswer.optional().describe('When a message last came to it'),
        flowSince: momentAnswer.optional().describe('Of the token for Flow callouts that works now'),
        flowUsedAt: momentAnswer.optional().describe('When a callout last came with it'),
        quietHours: hoursAnswer.optional(),
      }),
      async handle({ params }) {
        const bot = await requireBot(params.bot);
        return { json: await syncSummary(deps, bot, await deps.connectionStatus(bot)) };
      },
    }),
    defineRoute({
      ...read,
      method: 'GET',
      path: `${base}/sync/links/{kind}/{localId}`,
      summary: 'One record on both sides, rule by rule, and how its link stands.',
      answer: z.strictObject({
        object: z.string(),
        link: linkAnswer.nullable(),
        host: z.strictObject({ changedAt: momentAnswer, isDeleted: z.boolean() }).nullable(),
        crm: z.strictObject({ id: z.string(), url: z.string(), modifiedAt: momentAnswer }).nullable(),
        lines: z.array(lineAnswer),
        problem: problemAnswer.nullable().describe('Why the Salesforce side is not shown'),
      }),
      async handle({ params, caller, signal }) {
        const scope = await scopeOf(deps, await requireBot(params.bot));
        const { bot } = scope;
        const kind = parsePart(kindInput, params.kind, 'kind');
        const localId = parsePart(hostId, params.localId, 'localId');
        const { object } = await mappingOf(store, bot, kind);
        const [[host], [link]] = await Promise.all([
          store.hosts.get(bot, kind, [localId]),
          store.links.byLocal(scope, object, [localId]),
        ]);
        if (!host && !link) throw missing(kind, localId);
        const side = await remoteSide(bot, kind, link, signal);
        const isOpen = seesValues(caller);
        const lines = side.target ? linesOf(side.target, host, side.record) : [];
        return {
          json: {
            object,
            link: link ? shownLink(link, caller) : null,
            host: host ? { changedAt: iso(host.changedAt), isDeleted: host.deletedAt !== null } : null,
            crm: side.crm,
            lines: isOpen
              ? lines
              : lines.map((line) => ({ ...line, host: maskedFields(line.host), crm: maskedFields(line.crm) })),
            problem: isOpen ? side.problem : side.problem && maskedProblem(side.problem),
          },
        };
      },
    }),
    defineRoute({
      who: ['operator'],
      permission: 'MANAGE_MAPPINGS',
      method: 'GET',
      path: `${base}/records/{kind}`,
      query: z.strictObject({ q: z.string().trim().max(80).default('') }),
      summary: 'Records of the host app by words of their id or values, the last changed first.',
      answer: z.strictObject({
        records: z.array(z.strictObject({ id: z.string(), fields: fieldsAnswer, changedAt: momentAnswer })),
      }),
      async handle({ params, query: { q } }) {
        const bot = await requireBot(params.bot);
        const kind = parsePart(kindInput, params.kind, 'kind');
        const found = q === '' ? store.hosts.newest(bot, kind, 20) : store.hosts.search(bot, kind, q, 20);
        const records = (await found).map(({ id, fields, changedAt }) => ({ id, fields, changedAt: iso(changedAt) }));
        return { json: { records } };
      },
    }),
    defineRoute({
      who: ['operator'],
      permission: 'MANAGE_MAPPINGS',
      method: 'POST',
      path: `${base}/records/party`,
      body: partyListInput.shape.parties.element,
      summary: 'Sends one new person as the host app would, to try the sync with. One that is there stays as it is.',
      status: 201,
      answer: z.strictObject({ id: z.string() }),
      async handle({ params, caller, body: { externalId: id, ...body } }) {
        const bot = await requireBot(params.bot);
        if (await sync.hosts.get(bot, 'party', id))
          throw new GatehouseError('duplicate', `The host app has a person ${JSON.stringify(id)} already.`, {
            next: 'Choose another id; what the host app sent is not overwritten here.',
            fields: [{ name: 'externalId', problem: 'is taken' }],
          });
        await sync.hosts.putUnknown(bot, 'party', [toPartyInput(id, body)]);
        await noteOf(deps)(caller, bot, 'person_sent_by_hand', { kind: 'party', id });
        return { json: { id } };
      },
    }),
    defineRoute({
      who: ['operator'],
      permission: 'MANAGE_MAPPINGS',
      method: 'POST',
      path: `${base}/sync/now`,
      body: z.strictObject({ kind: kindInput, localId: hostId }),
      summary: 'Brings one person or one case into step now. What policy holds for a person stays held.',
      answer: z.strictObject({
        operation: z.enum(['create', 'update', 'none']),
        object: z.string(),
        recordId: z.string(),
        url: z.string(),
      }),
      async handle({ params, caller, body: { kind, localId }, signal }) {
        const bot = await requireBot(params.bot);
        const port = sync.forHost(bot, await openOrg(bot, signal));
        const { operation, object, id, url } = await (kind === 'party'
          ? port.syncParty(localId)
          : port.syncCase(localId));
        await noteOf(deps)(caller, bot, 'synced_by_hand', { kind, id: localId, operation, object, record: id });
        return { json: { operation, object, recordId: id, url } };
      },
    }),
  ];

  /** What is there in Salesforce now; a refusal is told beside what we know ourselves. */
  async function remoteSide(bot: string, kind: 'party' | 'case', link: Link | undefined, signal: AbortSignal) {
    try {
      const org = await openOrg(bot, signal);
      const target = await openTarget(deps, bot, org, kind);
      if (target.refusal) throw target.refusal;
      if (!link?.sfId) return { target, record: undefined, crm: null, problem: null };
      const { object } = target;
      const wanted = { object, select: columnsOf(target), field: 'Id', values: [link.sfId] };
      const [[record] = []] = await lookUp(org, [wanted], () => {});
      const row = record && toRow(target, record);
      const crm = row ? { id: row.id, url: org.recordUrl(row.id), modifiedAt: iso(row.modifiedAt) } : null;
      return { target, record, crm, problem: null };
    } catch (error) {
      if (!(error instanceof GatehouseError)) throw error;
      return { target: undefined, record: undefined, crm: null, problem: toErrorBody(error).error };
    }
  }
}

function linesOf({ compiled }: Target, host: HostRecord | undefined, record: RemoteRecord | undefined) {
  return compiled.rules.map((rule) => {
    const said = host && rule.fromHost(host);
    const received = record && rule.fromRemote(record);
    const isSame =
      host !== undefined &&
      record !== undefined &&
      (said === undefined || rule.fold(said, host) === rule.fold(received ?? null, host));
    return {
      local: [...rule.local],
      remote: [...rule.remote],
      direction: rule.direction,
      host: fieldsOf(rule.local, (name) => ownField(host?.fields ?? {}, name)),
      crm: fieldsOf(rule.remote, (name) => valueAt(record, name)),
      isSame,
    };
  });
}

const fieldsOf = (names: readonly string[], read: (name: string) => unknown): Fields =>
  Object.fromEntries(names.map((name) => [name, toValue(read(name))]));

function toValue(value: unknown): FieldValue {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return value === undefined || value === null ? null : JSON.stringify(value);
}

function valueAt(record: RemoteRecord | undefined, name: string): unknown {
  const [first = '', second] = name.split('.');
  const value = record?.[first];
  return second === undefined ? value : isRecord(value) ? value[second] : undefined;
}

const iso = (at: number): string => new Date(at).toISOString();
