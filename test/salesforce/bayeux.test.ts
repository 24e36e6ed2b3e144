import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseWithLongNumbers } from '../../src/domain/long-numbers.ts';
import { begin, eventsIn, judge, movedOn, readMessages, say, type Talk } from '../../src/salesforce/events/bayeux.ts';
import { createJar } from '../../src/salesforce/events/cookies.ts';

const CHANNEL = '/data/ContactChangeEvent';
const connecting: Talk = { clientId: 'c1', waiting: [], open: [{ name: CHANNEL, from: { after: '7' } }], id: 3 };
const subscribing: Talk = { ...connecting, waiting: connecting.open, open: [] };
const shaking = begin(connecting.open);

const refused = (channel: string, error: string, more: object = {}) => [{ channel, error, successful: false, ...more }];
const INVALID =
  '400::The replayId {123} you provided was invalid.  Please provide a valid ID, -2 to replay all events, or -1 to replay only new events.';

describe('every refusal of the wire page', () => {
  const busy = { ext: { sfdc: { failureReason: '503::Server is too busy. Please try later.' } } };
  const denied = (failureReason: string) => ({ ext: { sfdc: { failureReason }, replay: true } });
  it.each([
    [
      'a dead token while connected',
      connecting,
      refused('/meta/connect', '401::Authentication invalid', { advice: { reconnect: 'none', interval: 0 } }),
      { then: 'renew' },
    ],
    [
      'a dead token at the handshake',
      shaking,
      refused('/meta/handshake', '403::Handshake denied', {
        ...denied('401::Authentication invalid'),
        advice: { reconnect: 'none' },
      }),
      { then: 'renew' },
    ],
    ['no token', shaking, refused('/meta/handshake', '401::Request requires authentication'), { then: 'renew' }],
    [
      'a busy server, with 401 beside it',
      connecting,
      refused('/meta/connect', '401::Authentication invalid', busy),
      { then: 'later' },
    ],
    [
      'an unknown client',
      connecting,
      refused('/meta/connect', '403::Unknown client', { advice: { interval: 0, reconnect: 'handshake' } }),
      { then: 'handshake', waitMs: 0 },
    ],
    [
      'a missing cookie',
      subscribing,
      refused('/meta/subscribe', '400::Client c1 has established a session, but no BAYEUX_BROWSER cookie present'),
      { then: 'handshake' },
    ],
    [
      'a missing handshake',
      connecting,
      refused('/meta/connect', '403::Client has not completed handshake'),
      { then: 'handshake' },
    ],
    [
      'an old replay id',
      subscribing,
      refused('/meta/subscribe', INVALID),
      { then: 'ask', channel: CHANNEL, why: { kind: 'replay_refused' } },
    ],
    [
      'too many clients',
      shaking,
      refused('/meta/handshake', '403::Handshake denied', denied('403::Organization concurrent user limit exceeded')),
      { then: 'end', end: { why: 'client_limit' } },
    ],
    [
      'a used up allowance at a subscription',
      subscribing,
      refused('/meta/subscribe', '403::Organization total events daily limit exceeded'),
      { then: 'ask', why: { kind: 'delivery_limit' } },
    ],
    [
      'a used up allowance while connected',
      connecting,
      refused('/meta/connect', '403::Organization total events daily limit exceeded'),
      { then: 'end', end: { why: 'delivery_limit' } },
    ],
    [
      'no right to see all',
      subscribing,
      refused('/meta/subscribe', '403::User not allowed to subscribe CDC without View All Data permissions'),
      { then: 'ask', why: { kind: 'no_right' } },
    ],
    [
      'a restricted channel',
      subscribing,
      refused('/meta/subscribe', '403::Restricted channel'),
      { then: 'ask', why: { kind: 'no_right' } },
    ],
    [
      'a channel that cannot be made',
      subscribing,
      refused('/meta/subscribe', '403::Cannot create channel'),
      { then: 'ask', why: { kind: 'no_right' } },
    ],
    [
      'a channel that is not there',
      subscribing,
      refused('/meta/subscribe', "400::The channel you requested to subscribe to doesn't exist"),
      { then: 'ask', why: { kind: 'no_channel' } },
    ],
    [
      'a version that is not there',
      shaking,
      refused('/meta/handshake', '400::Unsupported API version.'),
      { then: 'end', end: { why: 'failed' } },
    ],
    [
      'an unknown channel of ours',
      subscribing,
      refused('/meta/subscribe', '404::Unknown channel'),
      { then: 'ask', why: { kind: 'our_fault' } },
    ],
    [
      'a server that sends us away',
      connecting,
      [{ channel: '/meta/disconnect', clientId: 'c1' }],
      { then: 'handshake', waitMs: 0 },
    ],
    ['an answer to something else', connecting, [], { then: 'later' }],
  ])('%s', (_, talk, messages, verdict) => {
    expect(judge(talk, messages)).toMatchObject(verdict);
  });
});

describe('what is said', () => {
  it('asks for what comes after an id with the digits of the id, however many', () => {
    const from = { after: '17455007066836172810' };
    expect(say({ ...subscribing, waiting: [{ name: CHANNEL, from }] })).toContain(
      `"ext":{"replay":{"${CHANNEL}":17455007066836172810}}`,
    );
    for (const [how, id] of [
      ['new', -1],
      ['all', -2],
    ] as const)
      expect(JSON.parse(say({ ...subscribing, waiting: [{ name: CHANNEL, from: how }] }))).toMatchObject([
        { ext: { replay: { [CHANNEL]: id } }, subscription: CHANNEL, clientId: 'c1' },
      ]);
  });

  it('is one message a request, from handshake to connect', () => {
    let talk = begin([
      { name: '/data/A', from: 'new' },
      { name: '/data/B', from: 'new' },
    ]);
    const said: string[] = [];
    for (let turn = 0; turn < 4; turn++) {
      const [message, ...more] = JSON.parse(say(talk));
      expect(more).toEqual([]);
      said.push(message.subscription ?? message.channel);
      const verdict = judge(talk, [
        { channel: message.channel, successful: true, clientId: 'c1', advice: { interval: 2000 } },
      ]);
      if (verdict.then !== 'on') throw new Error(verdict.then);
      talk = verdict.talk;
      expect(verdict.waitMs).toBe(turn === 3 ? 2000 : 0);
    }
    expect(said).toEqual(['/meta/handshake', '/data/A', '/data/B', '/meta/connect']);
  });
});

describe('events', () => {
  const event = (replayId: string, channel = CHANNEL) =>
    `{"data":{"event":{"replayId":${replayId}}},"channel":"${channel}"}`;
  const meta = '{"channel":"/meta/connect","successful":true}';

  it('are found before and after the answer, of our channels alone, and move each channel on', async () => {
    const messages = await readMessages(
      `[${event('8')},${meta},${event('99999999999999999999')},${event('5', '/data/Foreign')}]`,
    );
    const events = eventsIn(connecting, messages ?? []);
    expect(events).toHaveLength(2);
    expect(movedOn(connecting, events).open).toEqual([{ name: CHANNEL, from: { after: '99999999999999999999' } }]);
  });

  it('keep every digit of their numbers, and their texts as they are', async () => {
    expect(
      await parseWithLongNumbers(
        '{"a":1745500706683617281,"b":"x 1745500706683617281 \\" 1745500706683617281","c":1.5,"d":-12345678901234567}',
      ),
    ).toEqual({
      a: '1745500706683617281',
      b: 'x 1745500706683617281 " 1745500706683617281',
      c: 1.5,
      d: '-12345678901234567',
    });
    for (const number of ['1234567890123456.5', '12345678901234567e2'])
      expect(await parseWithLongNumbers(`[${number}]`)).toEqual([expect.any(Number)]);
    expect(await parseWithLongNumbers('{')).toBeUndefined();
  });

  it('survive whatever else an answer holds', async () => {
    expect(await readMessages('['.repeat(100_000))).toBeUndefined();
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    await readMessages(`[{"channel":"/meta/connect","data":${deep}}]`);
    fc.assert(
      fc.property(
        fc.array(
          fc.dictionary(
            fc.constantFrom('channel', 'error', 'advice', 'ext', 'data', 'successful', 'clientId'),
            fc.jsonValue(),
          ),
        ),
        (messages) => {
          for (const talk of [shaking, subscribing, connecting]) {
            judge(talk, messages);
            movedOn(talk, eventsIn(talk, messages));
          }
        },
      ),
    );
  });
});

describe('cookies', () => {
  it('go back byte for byte, the last of a name alone, and never more than a request bears', () => {
    const jar = createJar();
    expect(jar.header()).toBeUndefined();
    jar.keep(['t=old; path=/', 'sfdc-stream=!a/b+c==; path=/cometd; HttpOnly', 'broken', 't=x%2Fy=; Secure', '=z']);
    expect(jar.header()).toBe('t=x%2Fy=; sfdc-stream=!a/b+c==');
    jar.keep([
      'sfdc-stream=; Max-Age=0',
      `long=${'x'.repeat(5_000)}`,
      ...Array.from({ length: 40 }, (_, at) => `n${at}=1`),
    ]);
    expect(jar.header()?.split('; ')).toHaveLength(20);
    expect(jar.header()).not.toContain('sfdc-stream');
    jar.clear();
    expect(jar.header()).toBeUndefined();
  });
});
