/** Activating a flow that calls out, its faults, and a look at what failed. */
import { BadControl, onlyKeys, optionalNumber, optionalText, texts } from '../control/input.ts';
import type { CalloutFlow } from '../facts.ts';
import type { Org } from '../org.ts';
import { loopbackUrl } from '../outbound/control.ts';
import { fieldOf } from '../schema/object.ts';

const faults = ['lost', 'twice', 'cut', 'unauthorized'] as const;

export function flowControl(org: Org, body: Readonly<Record<string, unknown>> | undefined): unknown {
  if (body) change(org, body);
  const waiting = org.facts('interview');
  return {
    // The token is of a credential, which nobody reads back.
    flows: org.facts('calloutFlow').map(({ token: _, ...flow }) => flow),
    waiting: waiting.filter(({ error }) => error === null).length,
    failed: waiting.filter(({ error }) => error !== null),
  };
}

function change(org: Org, body: Readonly<Record<string, unknown>>): void {
  onlyKeys(body, ['object', 'url', 'token', 'fields', 'fault', 'times', 'clear']);
  if (body.clear === true) {
    for (const { id } of org.facts('calloutFlow')) org.forget('calloutFlow', id);
    for (const { id } of org.facts('interview')) org.forget('interview', id);
    return;
  }
  if (body.fault !== undefined) {
    const fault = faults.find((known) => known === body.fault);
    if (!fault) throw new BadControl(`fault is one of: ${faults.join(', ')}.`);
    const faultTimes = optionalNumber(body.times, 'times') ?? 1;
    for (const flow of org.facts('calloutFlow')) org.keep('calloutFlow', flow.id, { ...flow, fault, faultTimes });
    return;
  }
  const object = org.schema.object(optionalText(body.object, 'object') ?? '');
  if (!object) throw new BadControl(`object is one of: ${org.schema.objects.map((known) => known.name).join(', ')}.`);
  const fields = texts(body.fields ?? [], 'fields');
  for (const name of fields) if (!fieldOf(object, name)) throw new BadControl(`${object.name} has no field ${name}.`);
  const id = org.mint('301');
  const flow: CalloutFlow = {
    ...{ id, object: object.name, fields, fault: null, faultTimes: 0 },
    ...{ url: loopbackUrl(optionalText(body.url, 'url') ?? ''), token: optionalText(body.token, 'token') ?? '' },
  };
  org.keep('calloutFlow', id, flow);
}
