/** `/_sim/events`: what may happen to an event bus, on request. */
import { randomUUID } from 'node:crypto';
import { BadControl, onlyKeys, optionalNumber, optionalText, texts, toObject } from '../control/input.ts';
import type { ChangeHeader } from '../facts.ts';
import type { Org } from '../org.ts';
import { busOf, changeBus, countDeliveries, deliveredToday, forgetEvent, liveClients, publish } from './bus.ts';
import { headOf } from './changes.ts';
import { knowsEvent, putEvent } from './platform.ts';

type Body = Readonly<Record<string, unknown>>;

const verbs: Readonly<Record<string, (org: Org, body: Body) => void>> = {
  gap: (org, body) => gap(org, body, texts(body.recordIds ?? [], 'recordIds'), changeTypeOf(body.changeType)),
  overflow: (org, body) => gap(org, body, ['000000000000000AAA'], 'GAP_OVERFLOW'),
  wildcard: (org, body) => gap(org, body, [`${typeOf(org, body).keyPrefix}*`], 'GAP_UPDATE'),
  publish(org, body) {
    const name = optionalText(body.event, 'event') ?? 'Order_Event__e';
    if (!knowsEvent(name)) throw new BadControl(`There is no platform event ${name}.`);
    putEvent(org, name, toObject(body.fields ?? {}, 'fields'), '');
  },
  duplicate(org) {
    const last = org.facts('event').at(-1);
    if (!last) throw new BadControl('Nothing was published yet.');
    publish(org, last);
  },
  trim(org) {
    for (const event of org.facts('event')) forgetEvent(org, event);
    // Also who has seen all of it stands outside of the window now.
    const lastReplayId = busOf(org).lastReplayId + 1;
    changeBus(org, { floor: lastReplayId, lastReplayId });
  },
  resetStream(org) {
    for (const event of org.facts('event')) forgetEvent(org, event);
    forgetClients(org);
    changeBus(org, { lastReplayId: 10, floor: 10 });
  },
  forgetClients(org) {
    forgetClients(org);
    changeBus(org, {});
  },
  disconnect: (org) => changeBus(org, { leftAt: busOf(org).news + 1 }),
  busy: (org, body) => changeBus(org, { busy: optionalNumber(body.times, 'times') ?? 1 }),
  clientLimit: (org) => org.keep('settings', 'org', { ...org.settings, cometdClients: 0 }),
  deliveryLimit(org) {
    countDeliveries(org, org.settings.deliveries);
    changeBus(org, {});
  },
};

export function eventControl(org: Org, body: Body | undefined): unknown {
  if (body) act(org, body);
  const { lastReplayId, floor } = busOf(org);
  return {
    lastReplayId,
    floor,
    delivered: deliveredToday(org),
    clients: liveClients(org).map(({ id, channels }) => ({ id, channels })),
    events: org.facts('event').slice(-100),
  };
}

function act(org: Org, body: Body): void {
  onlyKeys(body, ['do', 'object', 'recordIds', 'changeType', 'event', 'fields', 'times']);
  const verb = Object.entries(verbs).find(([name]) => name === body.do)?.[1];
  if (!verb) throw new BadControl(`do is one of: ${Object.keys(verbs).join(', ')}.`);
  verb(org, body);
}

function forgetClients(org: Org): void {
  for (const { id } of org.facts('cometClient')) org.forget('cometClient', id);
}

function typeOf(org: Org, { object }: Body) {
  const type = org.schema.object(optionalText(object, 'object') ?? '');
  if (!type) throw new BadControl('object names the object that the event is about.');
  return type;
}

function changeTypeOf(value: unknown = 'GAP_UPDATE'): ChangeHeader['changeType'] {
  if (/^(GAP_)?[A-Z]+$/.test(String(value))) return String(value) as ChangeHeader['changeType'];
  throw new BadControl('changeType is one of Salesforce, such as GAP_UPDATE.');
}

function gap(org: Org, body: Body, recordIds: readonly string[], changeType: ChangeHeader['changeType']): void {
  const { name: entityName } = typeOf(org, body);
  const header: ChangeHeader = {
    ...headOf(org, recordIds),
    ...{ entityName, changeType, changedFields: [], changeOrigin: '' },
    ...{ transactionKey: randomUUID(), sequenceNumber: 1, commitUser: '' },
  };
  publish(org, { name: `${entityName}ChangeEvent`, header, uuid: null, fields: {} });
}
