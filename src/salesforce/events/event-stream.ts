import { GatehouseError } from '../../domain/errors.ts';
import type { Channel, EventSink, EventSource, StreamEnd } from '../../ports/events.ts';
import type { RequestPipeline } from '../request.ts';
import { UpstreamError } from '../transport/upstream-error.ts';
import { anew, begin, eventsIn, goodbye, instead, judge, movedOn, phaseOf, readMessages, say } from './bayeux.ts';
import { createJar } from './cookies.ts';

/**
 * The streaming API over long polling, on our own line. Between two requests everything that came is durable, so whatever ends here,
 * also a process, is told again from where it stood.
 */
export function createEventSource(deps: {
  readonly open: (signal: AbortSignal) => Promise<RequestPipeline>;
  readonly apiVersion: string;
  readonly wait: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly random?: () => number;
}): EventSource {
  const { open, wait, random = Math.random } = deps;
  const path = `/cometd/${deps.apiVersion.replace(/^v/, '')}`;
  /** Documented is `Bearer`; one org was seen to take `OAuth` only. */
  let scheme: 'Bearer' | 'OAuth' = 'Bearer';

  async function run(channels: readonly Channel[], sink: EventSink, signal: AbortSignal): Promise<StreamEnd> {
    const line = await open(signal);
    const jar = createJar();
    let talk = begin(channels);
    let failures = 0;
    let renewals = 0;
    /** Answers with events that could not be read, one after the other from the same place. */
    let unread = 0;

    const post = async (on: RequestPipeline, raw: string, isHeld: boolean) => {
      const cookie = jar.header();
      const headers = { 'content-type': 'application/json', ...(cookie === undefined ? {} : { cookie }) };
      const limit = isHeld ? { limit: { totalMs: HELD_MS } } : {};
      const answer = await on.send({ method: 'POST', path, headers, raw, isRead: true, isHeld, scheme, ...limit });
      jar.keep(answer.cookies ?? []);
      return readMessages(answer.text);
    };

    /** A client that is not told to leave goes on counting against the org's limits. */
    async function leave(): Promise<void> {
      const { clientId } = talk;
      if (clientId !== undefined) {
        const briefly = AbortSignal.timeout(GOODBYE_MS);
        await open(briefly)
          .then((other) => post(other, goodbye(clientId), true))
          .catch(() => undefined);
      }
      jar.clear();
    }

    /** What stands there would come again and again: from now on, and what it told is a gap. */
    async function passOver(): Promise<void> {
      unread = 0;
      const quote = 'The events that follow cannot be read.';
      for (const { name } of talk.open) {
        const from = await sink.refused(name, { kind: 'replay_refused', quote });
        talk = instead(talk, name, from === 'stop' ? 'drop' : from);
      }
      talk = { ...talk, open: [] };
    }

    async function handshakeAnew(waitMs: number): Promise<void> {
      await leave();
      talk = anew(talk);
      await wait(waitMs, signal);
    }

    /** A full jitter, so that processes and bots do not come back together. */
    const backOffMs = () => random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures++, 10));

    /**
     * Undefined: nothing that can be used came. A lost answer may have held events, which this client is not told again: only another
     * one, that begins where the last durable event stood, hears of them.
     */
    async function exchange() {
      const isConnect = phaseOf(talk) === 'connect';
      try {
        const messages = await post(line, say(talk), isConnect);
        if (messages && isConnect) unread = 0;
        if (messages) return messages;
        await handshakeAnew(backOffMs());
      } catch (error) {
        if (signal.aborted) return undefined;
        const isPassing = error instanceof UpstreamError || (error instanceof GatehouseError && error.retryable);
        if (!isPassing || error.code === 'reconnect_needed') throw error;
        if (isConnect && error instanceof UpstreamError && error.isUnread && ++unread >= MOST_UNREAD) await passOver();
        await handshakeAnew(Math.max(backOffMs(), Math.min(error.retryAfterMs ?? 0, LONGEST_PAUSE_MS)));
      }
      return undefined;
    }

    async function renew(quote: string): Promise<void> {
      renewals++;
      // A renewed token that is refused as well: perhaps only by the word before it.
      if (renewals === 2) scheme = scheme === 'Bearer' ? 'OAuth' : 'Bearer';
      if (renewals > 2) {
        scheme = 'Bearer';
        throw refusedAfterRenewal(quote);
      }
      if (renewals === 1) await line.renew();
      await handshakeAnew(0);
    }

    try {
      while (!signal.aborted) {
        if (talk.waiting.length + talk.open.length === 0) return { why: 'no_channels', quote: '' };
        const messages = await exchange();
        if (!messages) continue;
        const events = eventsIn(talk, messages);
        if (events.length > 0) await sink.take(events);
        talk = movedOn(talk, events);
        const wasConnect = phaseOf(talk) === 'connect';
        const verdict = judge(talk, messages);
        switch (verdict.then) {
          case 'on':
            if (wasConnect) failures = 0;
            if (phaseOf(talk) !== 'handshake') renewals = 0;
            talk = verdict.talk;
            if (verdict.opened !== undefined) await sink.opened(verdict.opened);
            await wait(verdict.waitMs, signal);
            break;
          case 'handshake':
            // A client that is lost again and again must not come back without a pause.
            await handshakeAnew(wasConnect && failures === 0 ? verdict.waitMs : backOffMs());
            failures ||= 1;
            break;
          case 'renew':
            await renew(verdict.quote);
            break;
          case 'later':
            await handshakeAnew(backOffMs());
            break;
          case 'ask': {
            const answer = await sink.refused(verdict.channel, verdict.why);
            if (answer === 'stop') return { why: 'stopped', quote: verdict.why.quote };
            talk = instead(talk, verdict.channel, answer);
            break;
          }
          case 'end':
            return verdict.end;
          default:
            return verdict satisfies never;
        }
      }
      return { why: 'stopped', quote: '' };
    } finally {
      await leave();
    }
  }

  return { run };
}

/** Salesforce holds a connect for up to 110 s. */
const HELD_MS = 130_000;
const GOODBYE_MS = 2_000;
const MOST_UNREAD = 3;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

function refusedAfterRenewal(quote: string): GatehouseError {
  return new GatehouseError(
    'reconnect_needed',
    'Salesforce refuses the event stream with a session that it has just renewed.',
    {
      next: 'Ask the operator to press Reconnect on the connection card; events are looked for by polling meanwhile.',
      salesforce: { code: 'STREAMING_REFUSED', fields: [], quote },
    },
  );
}
