/** `/_sim/`: what a test or a demo may do to the org from this machine. No part of Salesforce. */
import { createPublicKey } from 'node:crypto';
import { bulkControl } from '../bulk/control.ts';
import { company } from '../company.ts';
import { parseDatetime, toDatetime } from '../datetimes.ts';
import { changeBus } from '../events/bus.ts';
import { eventControl } from '../events/control.ts';
import { defaultSettings, type Settings } from '../facts.ts';
import { flowControl } from '../flows/control.ts';
import { type Incoming, json, type Outgoing } from '../http.ts';
import { parseId } from '../ids.ts';
import { Org } from '../org.ts';
import { outboundControl } from '../outbound/control.ts';
import { Refusal } from '../refusal.ts';
import { usageOf } from '../rest/limits.ts';
import { plantSeed } from '../seed.ts';
import type { SimSeed } from '../seed-form.ts';
import { stock } from '../stock.ts';
import { setFaults } from './faults.ts';
import { BadControl, onlyKeys, optionalNumber, optionalText, texts, toObject } from './input.ts';
import { addRecord, changeRecord, convertLead, mergeRecords, undeleteRecord } from './records.ts';
import { addFields, fillIn, isSetup, toSetup } from './setup.ts';

type Body = Readonly<Record<string, unknown>>;

const accepted =
  'POST reset, faults, clock, fields, expire, settings, oauth, rules, jwt-key, merge, convert, undelete, records/{Object}, outbound-messages[/deliver], flows[/run], events, bulk; GET calls, faults, clock, settings, records/{Object}, outbound-messages, flows, events, bulk';

export function control(org: Org, incoming: Incoming, shipped: SimSeed | undefined): Outgoing {
  const { method, url, text } = incoming;
  const [, , name = '', detail = ''] = url.pathname.split('/');
  try {
    const body = method === 'POST' ? parseBody(text) : {};
    return json(200, run(org, `${method} ${name}`, detail, body, shipped));
  } catch (error) {
    if (error instanceof BadControl) return json(400, { error: error.message });
    if (error instanceof Refusal) return json(400, { error: error.message, salesforce: error.faults });
    throw error;
  }
}

function run(org: Org, request: string, detail: string, body: unknown, shipped: SimSeed | undefined): unknown {
  switch (request) {
    case 'POST reset':
      return reset(org, toObject(body ?? {}, 'reset'), shipped);
    case 'POST faults':
      return setFaults(org, body);
    case 'GET faults':
      return { faults: org.facts('fault') };
    case 'GET calls':
      return calls(org);
    case 'POST clock':
      return setClock(org, body);
    case 'GET clock':
      return { now: new Date(org.now()).toISOString(), offsetMs: org.settings.clockOffsetMs };
    case 'POST expire':
      for (const session of org.facts('session')) org.forget('session', session.token);
      // Who listens is told while connected.
      changeBus(org, {});
      return { expired: true };
    case 'GET settings':
      return org.settings;
    case 'POST settings':
    case 'POST oauth':
    case 'POST rules':
      return changeSettings(org, toObject(body, 'settings'));
    case 'POST fields':
      return addFields(org, body);
    case 'POST jwt-key':
      return addJwtKey(org, toObject(body, 'jwt-key'));
    case 'GET records':
      return { records: [...org.table(objectName(org, detail)).all()] };
    case 'POST records':
      return saveRecord(org, objectName(org, detail), toObject(body, 'records'));
    case 'POST merge':
      return mergeRecords(org, toObject(body, 'merge'));
    case 'POST convert':
      return convertLead(org, toObject(body, 'convert'));
    case 'POST undelete':
      return undeleteRecord(org, toObject(body, 'undelete'));
    case 'GET outbound-messages':
    case 'POST outbound-messages':
      return outboundControl(org, request.startsWith('GET') ? undefined : toObject(body, 'outbound-messages'));
    case 'GET flows':
    case 'POST flows':
      return flowControl(org, request.startsWith('GET') ? undefined : toObject(body, 'flows'));
    case 'POST events':
    case 'GET events':
      return eventControl(org, request.startsWith('GET') ? undefined : toObject(body, 'events'));
    case 'POST bulk':
    case 'GET bulk':
      return bulkControl(org, request.startsWith('GET') ? undefined : toObject(body, 'bulk'));
    default:
      throw new BadControl(`No such control: ${request}. Accepted under /_sim/: ${accepted}.`);
  }
}

/** Records, faults, calls, clock and settings begin anew; logins stay, so that a connected client goes on. */
function reset(org: Org, body: Body, shipped: SimSeed | undefined): unknown {
  onlyKeys(body, ['seed', 'withoutFields', 'keepSessions', 'sandbox']);
  const seed = body.seed === undefined ? shipped : toSeed(body.seed);
  const setup = { ...shipped?.setup, ...seed?.setup };
  const lost = body.withoutFields === undefined ? {} : toSetup(org, 'withoutFields', body.withoutFields);
  const withoutFields = [...(setup.withoutFields ?? []), ...(lost.withoutFields ?? [])];
  const kept = body.keepSessions === false ? [] : ([...org.facts('session')] as const);
  const grants = body.keepSessions === false ? [] : org.facts('grant');
  const keys = org.facts('jwtKey');
  const grantCount = org.fact('counter', 'grant') ?? 0;
  const epoch = org.fact('counter', 'epoch') ?? 0;
  const settings: Settings = {
    ...defaultSettings,
    ...setup,
    withoutFields,
    sandbox: body.sandbox === true,
    schemaChangedAt: withoutFields.length > 0 ? org.now() : defaultSettings.schemaChangedAt,
  };
  rehearse(org, seed, settings);
  begin(org, seed, epoch + 1, settings);
  org.keep('counter', 'grant', grantCount);
  for (const session of kept) org.keep('session', session.token, session);
  for (const grant of grants) org.keep('grant', grant.id, grant);
  for (const key of keys) org.keep('jwtKey', key.pem, key);
  return { reset: true, withoutFields };
}

/** A seed that cannot be planted must not cost the org what it has: it is tried on an empty one first. */
function rehearse(org: Org, seed: SimSeed | undefined, settings: Settings): void {
  try {
    begin(new Org(() => org.now()), seed, 1, settings);
  } catch (error) {
    throw new BadControl(error instanceof Error ? error.message : String(error));
  }
}

/** A new beginning: the first of a fresh file, or a reset. */
export function begin(
  org: Org,
  seed: SimSeed = company,
  epoch = 1,
  settings: Settings = { ...defaultSettings, ...seed.setup },
): void {
  org.clear();
  org.keep('counter', 'epoch', epoch);
  org.keep('settings', 'org', settings);
  plantSeed(org, seed);
  fillIn(org);
  // What was there from the beginning is no change.
  org.takeRecordChanges();
}

function calls(org: Org): unknown {
  const { apiCalls, oauthCalls, used } = usageOf(org);
  const all = org.facts('call').sort((a, b) => a.n - b.n);
  const shown = (kind: 'api' | 'oauth') =>
    all.filter((call) => call.kind === kind).map(({ kind: _, n: __, ...call }) => call);
  return { count: apiCalls, used, calls: shown('api'), oauthCount: oauthCalls, oauth: shown('oauth') };
}

function setClock(org: Org, body: unknown): unknown {
  const given = body === null ? { now: null } : toObject(body, 'clock');
  onlyKeys(given, ['now', 'advanceMs']);
  const real = org.now() - org.settings.clockOffsetMs;
  let offset: number;
  if (given.now === null) offset = 0;
  else if (given.now !== undefined) {
    const ms = typeof given.now === 'number' ? given.now : parseDatetime(String(given.now));
    if (ms === undefined || !Number.isFinite(ms))
      throw new BadControl(
        'now is a datetime such as "2026-05-01T07:25:37Z", milliseconds, or null for the real time.',
      );
    offset = ms - real;
  } else if (typeof given.advanceMs === 'number' && Number.isFinite(given.advanceMs)) {
    offset = org.settings.clockOffsetMs + given.advanceMs;
  } else throw new BadControl('The clock takes {"now": datetime or milliseconds or null} or {"advanceMs": number}.');
  org.keep('settings', 'org', { ...org.settings, clockOffsetMs: offset });
  return { now: new Date(org.now()).toISOString(), offsetMs: offset };
}

function changeSettings(org: Org, body: Body): unknown {
  const { clockOffsetMs: _, schemaChangedAt: __, guardedFields: ___, ...open } = org.settings;
  const next: Record<string, unknown> = { ...org.settings };
  onlyKeys(body, [...Object.keys(open), 'apiUsed']);
  for (const [name, value] of Object.entries(body)) {
    if (name === 'duplicates') {
      if (value !== 'alert' && value !== 'block' && value !== 'off')
        throw new BadControl('duplicates is "alert", "block" or "off".');
      next[name] = value;
    } else if (isSetup(name)) {
      Object.assign(next, toSetup(org, name, value), { schemaChangedAt: org.now() });
    } else if (name === 'app') next[name] = toApp(toObject(value, name));
    else if (name === 'callbacks') next[name] = value === null ? null : texts(value, name);
    else if (name === 'apiUsed') org.keep('usage', 'org', { ...usageOf(org), used: optionalNumber(value, name) ?? 0 });
    else if (name === 'changeDataCapture') next[name] = toSelected(org, texts(value, name));
    else if (name === 'changeChannel') next[name] = value === null ? null : toChannel(org, toObject(value, name));
    else if (NUMBERS.has(name)) next[name] = optionalNumber(value, name);
    else if (typeof value === 'boolean') next[name] = value;
    else throw new BadControl(`${name} is true or false.`);
  }
  // Every key was checked above against the type it has.
  org.keep('settings', 'org', next as unknown as Settings);
  fillIn(org);
  if (typeof body.sandbox === 'boolean') {
    for (const row of org.table('Organization').all()) org.saveRow('Organization', { ...row, IsSandbox: body.sandbox });
  }
  return org.settings;
}

function toApp(given: Body): Settings['app'] {
  onlyKeys(given, ['clientId', 'clientSecret']);
  const { clientId, clientSecret } = given;
  if (typeof clientId === 'string' && typeof clientSecret === 'string') return { clientId, clientSecret };
  throw new BadControl('app takes {"clientId": text, "clientSecret": text}.');
}

const NUMBERS: ReadonlySet<string> = new Set([
  ...['sessionMs', 'apiMax', 'cometdHoldMs', 'cometdClients', 'deliveries', 'deployMs'],
  ...['bulkQueueMs', 'bulkRowsPerSecond', 'bulkBatches'],
]);
const mostSelected = 5;
const mostEnriched = 10;

function toSelected(org: Org, names: readonly string[]): readonly string[] {
  if (names.length > mostSelected) throw new BadControl(`changeDataCapture takes ${mostSelected} objects at most.`);
  return names.map((name) => objectName(org, name));
}

function toChannel(org: Org, given: Body): Settings['changeChannel'] {
  onlyKeys(given, ['name', 'objects', 'enriched']);
  const name = optionalText(given.name, 'changeChannel.name') ?? '';
  if (!/^\/data\/\w+__chn$/.test(name)) throw new BadControl('changeChannel.name is such as /data/Gatehouse__chn.');
  const objects = toSelected(org, texts(given.objects, 'changeChannel.objects'));
  const enriched = texts(given.enriched ?? [], 'changeChannel.enriched');
  if (enriched.length > mostEnriched)
    throw new BadControl(`changeChannel.enriched takes ${mostEnriched} fields at most.`);
  return { name, objects, enriched };
}

function addJwtKey(org: Org, body: Body): unknown {
  onlyKeys(body, ['pem']);
  const pem = optionalText(body.pem, 'pem') ?? '';
  try {
    createPublicKey(pem);
  } catch {
    throw new BadControl('pem is the public key or certificate of the app, in PEM.');
  }
  org.keep('jwtKey', pem, { pem });
  return { registered: true };
}

function saveRecord(org: Org, object: string, body: Body): unknown {
  const { at, ...fields } = body;
  const ms = at === undefined ? org.now() : typeof at === 'number' ? at : parseDatetime(String(at));
  if (ms === undefined) throw new BadControl('at is a datetime such as "2026-05-01T07:25:37Z" or milliseconds.');
  if (fields.Id === undefined) return { id: addRecord(org, object, fields, toDatetime(ms)), created: true };
  const id = parseId(String(fields.Id));
  if (!id || !org.row(object, id)) throw new BadControl(`There is no ${object} ${String(fields.Id)}.`);
  changeRecord(org, object, id, fields, toDatetime(ms));
  return { id, created: false };
}

function objectName(org: Org, name: string): string {
  const object = org.schema.object(name);
  if (!object)
    throw new BadControl(
      `There is no object ${name || '(none given)'}. There are: ${org.schema.objects.map((known) => known.name).join(', ')}.`,
    );
  return object.name;
}

function toSeed(value: unknown): SimSeed {
  if (value === 'company') return company;
  if (value === 'stock') return stock;
  const { records } = toObject(value, 'seed');
  const byObject = toObject(records, 'seed.records');
  for (const [name, list] of Object.entries(byObject)) {
    if (!Array.isArray(list)) throw new BadControl(`seed.records.${name} is a list of records.`);
  }
  // Field values are checked against the schema when planted.
  return { records: byObject as SimSeed['records'] };
}

function parseBody(text: string): unknown {
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    throw new BadControl('The body is not JSON.');
  }
}
