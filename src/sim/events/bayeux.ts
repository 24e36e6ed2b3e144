/** `/cometd/XX.0`: the streaming API (CometD over long polling), word for word as clients have recorded it. */
import { randomBytes } from 'node:crypto';
import type { CometClient, StoredEvent } from '../facts.ts';
import type { HeldConnect, Incoming, Outgoing } from '../http.ts';
import { liveSession } from '../oauth/tokens.ts';
import type { Org } from '../org.ts';
import { sightOf } from '../rest/data-api.ts';
import { busOf, changeBus, countDeliveries, deliveredToday, liveClients } from './bus.ts';
import { CUSTOM_CHANNEL, knowsEvent } from './platform.ts';
import { showEvent } from './show.ts';

type Message = Readonly<Record<string, unknown>>;
/** What one message is answered: JSON texts, since events hold numbers that JSON.parse would round. */
interface Said {
  readonly texts: readonly string[];
  readonly cookies?: readonly string[];
  readonly held?: HeldConnect;
  readonly status?: number;
}

const oldest = 37;
const mostBytes = 32_768;
const mostPerAnswer = 1000;
/** After events a client must be back sooner than after an empty answer. */
const afterEventsMs = 40_000;
const afterNothingMs = 110_000;
const cookieNames = ['BAYEUX_BROWSER', 'sfdc-stream', 't'];

export function cometd(org: Org, { method, url, headers, text }: Incoming, newest: string): Outgoing {
  const version = /^\/cometd\/(\d\d\.\d)(\/|$)/.exec(url.pathname)?.[1];
  if (method !== 'POST') return page(405, 'Only POST is taken.');
  if (Buffer.byteLength(text) > mostBytes) return page(413, 'Maximum Request Size Exceeded');
  const messages = read(text);
  if (!messages) return page(400, 'Bad Request');
  const said: Said[] = [];
  const subscribes = new Set<unknown>();
  for (const message of messages) {
    const isSecond = message.channel === '/meta/subscribe' && subscribes.size > 0;
    if (message.channel === '/meta/subscribe') subscribes.add(message);
    if (version === undefined)
      said.push(fail(message, "400::API version in the URI is mandatory. URI format: '/cometd/66.0'"));
    else if (Number(version) < oldest || Number(version) > Number.parseFloat(newest.slice(1)))
      said.push(fail(message, `400::Unsupported API version. Supported are ${oldest}.0 to ${newest.slice(1)}`));
    // Several subscriptions in one request have been seen to fail so.
    else if (isSecond) said.push(unknownClient(message));
    else said.push(answer(org, message, headers, messages.length === 1));
  }
  const held = said.find((one) => one.held)?.held;
  const isSafe = url.protocol === 'https:';
  return {
    status: said.find((one) => one.status)?.status ?? 200,
    headers: { 'Content-Type': 'application/json;charset=UTF-8', 'Cache-Control': 'no-cache' },
    text: `[${said.flatMap((one) => one.texts).join(',')}]`,
    cookies: said
      .flatMap((one) => one.cookies ?? [])
      .map((cookie) => `${cookie}; path=/${isSafe ? '; secure' : ''}; HttpOnly`),
    ...(held ? { held } : {}),
  };
}

/** Another look for a connect that is held; undefined where there is still nothing to say. */
export function lookAgain(org: Org, held: HeldConnect, isOver: boolean): Outgoing | undefined {
  const client = org.fact('cometClient', held.clientId);
  const message = { channel: '/meta/connect', id: held.messageId, clientId: held.clientId };
  const said = !client
    ? unknownClient(message)
    : liveSession(org, client.token)
      ? connect(org, client, message, isOver)
      : ended(org, client, message);
  if (said.held) return undefined;
  return {
    status: 200,
    headers: { 'Content-Type': 'application/json;charset=UTF-8', 'Cache-Control': 'no-cache' },
    text: `[${said.texts.join(',')}]`,
  };
}

function answer(org: Org, message: Message, headers: Headers, isAlone: boolean): Said {
  const userId = userOf(org, headers);
  const { channel } = message;
  const { busy } = busOf(org);
  if (busy > 0) {
    changeBus(org, { busy: busy - 1 });
    // With another error beside it, as Salesforce does: whoever reads that first throws a good token away.
    const failureReason = '503::Server is too busy. Please try your request again later.';
    return fail(message, '401::Authentication invalid', {
      ext: { sfdc: { failureReason } },
      advice: { reconnect: 'none' },
    });
  }
  if (headers.get('authorization') === null) return fail(message, '401::Request requires authentication', {}, 401);
  if (channel === '/meta/handshake') return handshake(org, message, headers, userId);
  const client = typeof message.clientId === 'string' ? org.fact('cometClient', message.clientId) : undefined;
  if (typeof message.clientId !== 'string') return fail(message, '403::Client has not completed handshake');
  const jar = headers.get('cookie') ?? '';
  if (client && cookieNames.every((name) => !jar.includes(`${name}=`)))
    return fail(message, `400::Client ${client.id} has established a session, but no ${cookieNames[0]} cookie present`);
  const isHere = client && org.now() - client.seenAt <= client.leaveMs;
  if (!client || !isHere || !client.cookies.every((cookie) => jar.includes(cookie))) return unknownClient(message);
  if (userId === undefined) return ended(org, client, message);
  const seen = { ...client, token: tokenIn(headers), seenAt: org.now(), leaveMs: afterNothingMs };
  org.keep('cometClient', client.id, seen);
  switch (channel) {
    case '/meta/connect':
      // Beside other messages it is answered with them.
      return connect(org, seen, message, !isAlone);
    case '/meta/subscribe':
      return subscribe(org, seen, message);
    case '/meta/unsubscribe': {
      const { [String(message.subscription)]: _, ...channels } = seen.channels;
      org.keep('cometClient', client.id, { ...seen, channels });
      return say(reply(message, { subscription: message.subscription }));
    }
    case '/meta/disconnect':
      org.forget('cometClient', client.id);
      changeBus(org, {});
      return say(reply(message));
    default:
      return String(channel).startsWith('/meta/')
        ? fail(message, '404::Unknown channel')
        : fail(message, '403::Cannot create channel');
  }
}

function handshake(org: Org, message: Message, headers: Headers, userId: string | undefined): Said {
  const denied = (failureReason: string) =>
    fail(message, '403::Handshake denied', {
      ext: { sfdc: { failureReason }, replay: true, 'payload.format': true },
      advice: { reconnect: 'none' },
    });
  if (userId === undefined) return denied('401::Authentication invalid');
  if (liveClients(org).length >= org.settings.cometdClients)
    return denied('403::Organization concurrent user limit exceeded');
  for (const { id, seenAt, leaveMs } of org.facts('cometClient'))
    if (org.now() - seenAt > leaveMs) org.forget('cometClient', id);
  const id = randomBytes(20).toString('base64url');
  // Values that do not survive another encoding.
  const cookies = cookieNames.map((name) => `${name}=${randomBytes(6).toString('hex')}/a+b=c!`);
  const since = busOf(org).news;
  const now = org.now();
  const client = {
    id,
    userId,
    token: tokenIn(headers),
    cookies,
    since,
    seenAt: now,
    leaveMs: afterNothingMs,
    channels: {},
  };
  org.keep('cometClient', id, client);
  return {
    ...say(
      JSON.stringify({
        ext: { replay: true, 'payload.format': true },
        minimumVersion: '1.0',
        clientId: id,
        supportedConnectionTypes: ['long-polling'],
        channel: '/meta/handshake',
        ...(message.id === undefined ? {} : { id: message.id }),
        version: '1.0',
        successful: true,
      }),
    ),
    cookies,
  };
}

function subscribe(org: Org, client: CometClient, message: Message): Said {
  const channel = String(message.subscription);
  const refused = (error: string) => fail(message, error, { subscription: message.subscription });
  const kind = channelKind(org, channel);
  if (kind === undefined) return refused(`400::The channel you requested to subscribe to doesn't exist {${channel}}`);
  const isLimited = org.row('User', client.userId)?.Username === 'limited@sim.example';
  if (kind === 'change' && isLimited)
    return refused('403::User not allowed to subscribe CDC without View All Data permissions');
  if (deliveredToday(org) >= org.settings.deliveries)
    return refused('403::Organization total events daily limit exceeded');
  const { floor, lastReplayId } = busOf(org);
  const from = replayFrom(message, channel);
  if (from > 0 && (from < floor || from > lastReplayId))
    return refused(
      `400::The replayId {${from}} you provided was invalid.  Please provide a valid ID, -2 to replay all events, or -1 to replay only new events.`,
    );
  const position = from === -1 ? lastReplayId : from === -2 ? floor : from;
  org.keep('cometClient', client.id, { ...client, channels: { ...client.channels, [channel]: position } });
  return say(reply(message, { subscription: message.subscription }));
}

function channelKind(org: Org, channel: string): 'change' | 'platform' | undefined {
  const event = /^\/event\/(\w+)$/.exec(channel)?.[1];
  if (channel === CUSTOM_CHANNEL) return 'platform';
  if (event !== undefined) return knowsEvent(event) ? 'platform' : undefined;
  const { changeDataCapture, changeChannel } = org.settings;
  if (channel === changeChannel?.name) return 'change';
  if (channel === '/data/ChangeEvents') return changeDataCapture.length > 0 ? 'change' : undefined;
  return changeDataCapture.some((object) => channel === `/data/${object}ChangeEvent`) ? 'change' : undefined;
}

function replayFrom({ ext }: Message, channel: string): number {
  const replay = isMessage(ext) && isMessage(ext.replay) ? ext.replay[channel] : undefined;
  const from = Number(replay ?? -1);
  return Number.isSafeInteger(from) ? from : -1;
}

/** Events that wait, and the answer itself after them; held while there are none. */
function connect(org: Org, client: CometClient, message: Message, isOver: boolean): Said {
  const { leftAt } = busOf(org);
  if (client.since < leftAt) {
    org.forget('cometClient', client.id);
    return say(JSON.stringify({ clientId: client.id, channel: '/meta/disconnect' }));
  }
  const events = org.facts('event').sort((a, b) => a.replayId - b.replayId);
  const schema = sightOf(org, client.userId);
  const texts: string[] = [];
  const channels: Record<string, number> = { ...client.channels };
  for (const [channel, after] of Object.entries(client.channels)) {
    for (const event of events) {
      if (event.replayId <= after || !isOn(org, channel, event.name) || texts.length >= mostPerAnswer) continue;
      texts.push(showEvent(channel, enrich(org, channel, event), schema));
      channels[channel] = event.replayId;
    }
  }
  if (texts.length === 0 && !isOver) return { texts: [], held: { clientId: client.id, messageId: message.id } };
  if (texts.length > 0 && deliveredToday(org) + texts.length > org.settings.deliveries) {
    org.forget('cometClient', client.id);
    return fail(message, '403::Organization total events daily limit exceeded', { advice: { reconnect: 'none' } });
  }
  if (texts.length > 0) countDeliveries(org, texts.length);
  const leaveMs = texts.length > 0 ? afterEventsMs : afterNothingMs;
  org.keep('cometClient', client.id, { ...client, channels, seenAt: org.now(), leaveMs });
  const advice = { interval: 0, 'multiple-clients': true, reconnect: 'retry', timeout: org.settings.cometdHoldMs };
  return { texts: [...texts, reply(message, { advice })] };
}

function isOn(org: Org, channel: string, name: string): boolean {
  const { changeChannel } = org.settings;
  if (channel === changeChannel?.name) return changeChannel.objects.some((object) => name === `${object}ChangeEvent`);
  if (channel === '/data/ChangeEvents') return name.endsWith('ChangeEvent');
  if (channel === CUSTOM_CHANNEL) return knowsEvent(name);
  return channel === `/data/${name}` || channel === `/event/${name}`;
}

/** Fields that the channel tells with every update: their values come, and are not named as changed. */
function enrich(org: Org, channel: string, event: StoredEvent): StoredEvent {
  const { changeChannel } = org.settings;
  const [id] = event.header?.recordIds ?? [];
  if (channel !== changeChannel?.name || event.header?.changeType !== 'UPDATE' || id === undefined) return event;
  const row = org.row(event.header.entityName, id);
  const more = changeChannel.enriched.flatMap((name) =>
    row && name in row ? [[name, row[name] ?? null] as const] : [],
  );
  return { ...event, fields: { ...Object.fromEntries(more), ...event.fields } };
}

function tokenIn(headers: Headers): string {
  return /^(?:Bearer|OAuth) +(\S+)$/i.exec(headers.get('authorization') ?? '')?.[1] ?? '';
}

const userOf = (org: Org, headers: Headers): string | undefined => liveSession(org, tokenIn(headers))?.userId;

function ended(org: Org, client: CometClient, message: Message): Said {
  org.forget('cometClient', client.id);
  return fail(message, '401::Authentication invalid', { advice: { reconnect: 'none', interval: 0 } });
}

function reply({ channel, id, clientId }: Message, more: object = {}): string {
  return JSON.stringify({ clientId, ...more, channel, ...(id === undefined ? {} : { id }), successful: true });
}

function fail({ channel, id, clientId }: Message, error: string, more: object = {}, status?: number): Said {
  const text = JSON.stringify({
    ...(clientId === undefined ? {} : { clientId }),
    ...more,
    channel,
    ...(id === undefined ? {} : { id }),
    error,
    successful: false,
  });
  return { texts: [text], ...(status === undefined ? {} : { status }) };
}

function unknownClient(message: Message): Said {
  return fail(message, '403::Unknown client', { advice: { interval: 0, reconnect: 'handshake' } });
}

const say = (text: string): Said => ({ texts: [text] });
const isMessage = (value: unknown): value is Message =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function read(text: string): readonly Message[] | undefined {
  try {
    const body: unknown = JSON.parse(text);
    const list: readonly unknown[] = Array.isArray(body) ? body : [body];
    return list.every(isMessage) ? list : undefined;
  } catch {
    return undefined;
  }
}

function page(status: number, text: string): Outgoing {
  return { status, headers: { 'Content-Type': 'text/html;charset=UTF-8' }, text };
}
