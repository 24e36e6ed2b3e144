/** What `POST /_sim/faults` accepts. */
import type { FaultRule } from '../facts.ts';
import type { Org } from '../org.ts';
import { BadControl, onlyKeys, optionalNumber, optionalText, toObject } from './input.ts';

type Body = Readonly<Record<string, unknown>>;

const faultTypes = [
  'latency',
  'status',
  'token',
  'drop',
  'drop_body',
  'expired_session',
  'limit',
  'lock',
  'html',
  'redirect',
  'hang',
] as const;

export function setFaults(org: Org, body: unknown): unknown {
  const list: unknown[] = Array.isArray(body) ? body : [body];
  for (const entry of list) {
    const fault = toObject(entry, 'faults');
    if (fault.clear === true) {
      for (const old of org.facts('fault')) org.forget('fault', old.id);
    } else {
      const rule = toFault(org, fault);
      org.keep('fault', rule.id, rule);
    }
  }
  return { faults: org.facts('fault') };
}

function toFault(org: Org, body: Body): FaultRule {
  onlyKeys(body, ['type', 'match', 'times', 'ms', 'status', 'location', 'body', 'when']);
  const type = faultTypes.find((name) => name === body.type);
  if (!type)
    throw new BadControl(`A fault needs a type, one of: ${faultTypes.join(', ')}. To remove all: {"clear": true}.`);
  const { when = 'before' } = body;
  if (when !== 'before' && when !== 'after')
    throw new BadControl('when is "before" (nothing was done) or "after" (it was done, the answer is lost).');
  const match = body.match === undefined ? undefined : toObject(body.match, 'match');
  if (match) onlyKeys(match, ['method', 'path']);
  const path = optionalText(match?.path, 'match.path');
  if (path !== undefined) {
    try {
      new RegExp(path);
    } catch {
      throw new BadControl(`match.path is neither a part of a path nor a regular expression: ${path}`);
    }
  }
  return {
    id: `f${String(org.count('fault')).padStart(6, '0')}`,
    type,
    match: match && { method: optionalText(match.method, 'match.method'), path },
    times: optionalNumber(body.times, 'times'),
    ms: optionalNumber(body.ms, 'ms'),
    status: optionalNumber(body.status, 'status'),
    body: body.body,
    location: optionalText(body.location, 'location'),
    when,
  };
}
