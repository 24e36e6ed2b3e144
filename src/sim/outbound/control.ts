/** Registering an outbound message, and looking at its queue. */
import { BadControl, onlyKeys, optionalText, texts } from '../control/input.ts';
import type { Org } from '../org.ts';
import { fieldOf } from '../schema/object.ts';

export function outboundControl(org: Org, body: Readonly<Record<string, unknown>> | undefined): unknown {
  if (body) register(org, body);
  return { actions: org.facts('action'), queue: org.facts('notice') };
}

function register(org: Org, body: Readonly<Record<string, unknown>>): void {
  onlyKeys(body, ['object', 'url', 'fields', 'includeSessionId', 'clear']);
  if (body.clear === true) {
    for (const action of org.facts('action')) org.forget('action', action.id);
    for (const notice of org.facts('notice')) org.forget('notice', notice.id);
    return;
  }
  const object = org.schema.object(optionalText(body.object, 'object') ?? '');
  if (!object) throw new BadControl(`object is one of: ${org.schema.objects.map((known) => known.name).join(', ')}.`);
  const fields = texts(body.fields ?? [], 'fields');
  for (const name of fields) if (!fieldOf(object, name)) throw new BadControl(`${object.name} has no field ${name}.`);
  const url = loopbackUrl(optionalText(body.url, 'url') ?? '');
  const [administrator] = org.table('User').all();
  const id = org.mint('04k');
  org.keep('action', id, {
    id,
    object: object.name,
    url,
    fields,
    includeSessionId: body.includeSessionId === true,
    userId: administrator?.Id ?? '',
  });
}

/** A toy must not be a way to send requests from this machine into the network. */
export function loopbackUrl(text: string): string {
  try {
    const { protocol, hostname, href } = new URL(text);
    const isLoopback = hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
    if ((protocol === 'http:' || protocol === 'https:') && isLoopback) return href;
  } catch {
    // Refused below, with the same words.
  }
  throw new BadControl('url is an http address on this machine, such as http://127.0.0.1:3000/hook.');
}
