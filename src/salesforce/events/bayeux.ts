import { isRecord } from '../../domain/is-record.ts';
import { parseWithLongNumbers } from '../../domain/long-numbers.ts';
import { oneLine } from '../../domain/safe-text.ts';
import type { Channel, From, RawEvent, StreamEnd, StreamFailure } from '../../ports/events.ts';

/**
 * Bayeux as Salesforce speaks it, as a pure state machine: what is said next, and what an answer means. One message a request:
 * several subscriptions in one have been refused as `403::Unknown client`.
 * https://docs.cometd.org/current8/reference/#_bayeux
 */
export interface Talk {
  readonly clientId: string | undefined;
  /** To be subscribed to, one after the other. */
  readonly waiting: readonly Channel[];
  readonly open: readonly Channel[];
  readonly id: number;
}

export type Verdict =
  | { readonly then: 'on'; readonly talk: Talk; readonly waitMs: number; readonly opened?: string }
  /** The client is gone: begin anew, every channel from where it stands. */
  | { readonly then: 'handshake'; readonly waitMs: number }
  | { readonly then: 'renew'; readonly quote: string }
  | { readonly then: 'later'; readonly quote: string }
  | { readonly then: 'ask'; readonly channel: string; readonly why: StreamFailure }
  | { readonly then: 'end'; readonly end: StreamEnd };

export type Message = Readonly<Record<string, unknown>>;

export function begin(channels: readonly Channel[]): Talk {
  return { clientId: undefined, waiting: channels, open: [], id: 1 };
}

export const phaseOf = ({ clientId, waiting }: Talk): 'handshake' | 'subscribe' | 'connect' =>
  clientId === undefined ? 'handshake' : waiting.length > 0 ? 'subscribe' : 'connect';

/** The next message as JSON text: a replay id goes out as the digits that came. */
export function say({ clientId, waiting, id }: Talk): string {
  const common = { id: String(id), clientId };
  const [channel] = waiting;
  if (clientId === undefined) return `[${JSON.stringify({ ...HANDSHAKE, id: String(id) })}]`;
  if (channel === undefined)
    return `[${JSON.stringify({ ...common, channel: '/meta/connect', connectionType: 'long-polling' })}]`;
  const head = JSON.stringify({ ...common, channel: '/meta/subscribe', subscription: channel.name });
  return `[${head.slice(0, -1)},"ext":{"replay":{${JSON.stringify(channel.name)}:${replayOf(channel.from)}}}}]`;
}

export const goodbye = (clientId: string): string =>
  `[${JSON.stringify({ id: '0', channel: '/meta/disconnect', clientId })}]`;

const HANDSHAKE = {
  channel: '/meta/handshake',
  version: '1.0',
  minimumVersion: '1.0',
  supportedConnectionTypes: ['long-polling'],
  ext: { replay: true },
};

function replayOf(from: From): string {
  if (from === 'new') return '-1';
  if (from === 'all') return '-2';
  return /^\d{1,30}$/.test(from.after) ? from.after : '-1';
}

/** The messages of an answer; undefined where it is none of Bayeux. */
export async function readMessages(text: string): Promise<readonly Message[] | undefined> {
  const body = await parseWithLongNumbers(text);
  return Array.isArray(body) && body.every(isRecord) ? body : undefined;
}

/** Events may stand in the answer to any message, before or after what it says of itself. What nobody asked for is none of ours. */
export function eventsIn({ open, waiting }: Talk, messages: readonly Message[]): readonly RawEvent[] {
  const ours = new Set([...open, ...waiting].map(({ name }) => name));
  return messages.flatMap(({ channel, data }) =>
    typeof channel === 'string' && ours.has(channel) && data !== undefined ? [{ channel, data }] : [],
  );
}

/** Where each channel stands once these events are durable. */
export function movedOn(talk: Talk, events: readonly RawEvent[]): Talk {
  const last = new Map(events.flatMap((event) => (replayIdOf(event) ? [[event.channel, replayIdOf(event)]] : [])));
  const moved = (channel: Channel): Channel => {
    const id = last.get(channel.name);
    return id === undefined ? channel : { ...channel, from: { after: id } };
  };
  return { ...talk, open: talk.open.map(moved), waiting: talk.waiting.map(moved) };
}

/** As text; undefined where there is none that could be sent back. */
export function replayIdOf({ data }: RawEvent): string | undefined {
  const id = isRecord(data) && isRecord(data.event) ? String(data.event.replayId) : '';
  return /^\d{1,30}$/.test(id) ? id : undefined;
}

/** Another beginning: the same channels, from where they stand. */
export const anew = ({ open, waiting, id }: Talk): Talk => ({ ...begin([...open, ...waiting]), id: id + 1 });

/** One channel from another place, or not at all. */
export function instead(talk: Talk, name: string, from: From | 'drop'): Talk {
  const others = talk.waiting.filter((channel) => channel.name !== name);
  return { ...talk, id: talk.id + 1, waiting: from === 'drop' ? others : [{ name, from }, ...others] };
}

export function judge(talk: Talk, messages: readonly Message[]): Verdict {
  const asked = `/meta/${phaseOf(talk)}`;
  const [channel] = talk.waiting;
  if (messages.some((message) => message.channel === '/meta/disconnect')) return { then: 'handshake', waitMs: 0 };
  const answer = messages.find((message) => message.channel === asked);
  if (!answer) return { then: 'later', quote: 'The answer says nothing of what was asked.' };
  if (answer.successful !== true) return refusal(talk, answer, channel);
  const next = { ...talk, id: talk.id + 1 };
  const waitMs = intervalOf(answer);
  if (talk.clientId === undefined) {
    const { clientId } = answer;
    if (typeof clientId !== 'string' || clientId === '')
      return { then: 'later', quote: 'A handshake without a client.' };
    return { then: 'on', talk: { ...next, clientId }, waitMs: 0 };
  }
  if (channel === undefined) return { then: 'on', talk: next, waitMs };
  const [, ...waiting] = talk.waiting;
  return { then: 'on', talk: { ...next, waiting, open: [...talk.open, channel] }, waitMs: 0, opened: channel.name };
}

function refusal(talk: Talk, answer: Message, channel: Channel | undefined): Verdict {
  const quote = reasonOf(answer);
  const isSubscribe = phaseOf(talk) === 'subscribe' && channel !== undefined;
  const ask = (kind: StreamFailure['kind']): Verdict =>
    isSubscribe
      ? { then: 'ask', channel: channel.name, why: { kind, quote } }
      : { then: 'end', end: { why: kind === 'delivery_limit' ? kind : 'failed', quote } };
  if (/^503\b/.test(quote)) return { then: 'later', quote };
  if (/^401\b/.test(quote)) return { then: 'renew', quote };
  if (/unknown client|completed handshake|no \S+ cookie present/i.test(quote))
    return { then: 'handshake', waitMs: intervalOf(answer) };
  if (/concurrent user limit/i.test(quote)) return { then: 'end', end: { why: 'client_limit', quote } };
  if (/daily limit/i.test(quote)) return ask('delivery_limit');
  if (/replayId .*invalid/i.test(quote)) return ask('replay_refused');
  if (/api version/i.test(quote)) return ask('our_fault');
  if (/channel you requested|doesn't exist/i.test(quote)) return ask('no_channel');
  if (isSubscribe && /^403\b/.test(quote)) return ask('no_right');
  if (/^404\b/.test(quote)) return ask('our_fault');
  if (adviceOf(answer).reconnect === 'handshake') return { then: 'handshake', waitMs: intervalOf(answer) };
  if (adviceOf(answer).reconnect === 'none') return ask('our_fault');
  return { then: 'later', quote };
}

/** A busy server puts another error beside its own, even 401: what Salesforce itself gives as the cause counts. */
function reasonOf({ ext, error }: Message): string {
  const sfdc = isRecord(ext) && isRecord(ext.sfdc) ? ext.sfdc : {};
  return oneLine(String(sfdc.failureReason ?? error ?? ''));
}

const adviceOf = ({ advice }: Message): Message => (isRecord(advice) ? advice : {});
const LONGEST_INTERVAL_MS = 60_000;

function intervalOf(answer: Message): number {
  const { interval } = adviceOf(answer);
  return typeof interval === 'number' && interval > 0 ? Math.min(interval, LONGEST_INTERVAL_MS) : 0;
}
