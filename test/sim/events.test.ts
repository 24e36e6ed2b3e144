import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as cometdClient from 'cometd';
import { adapt } from 'cometd-nodejs-client';
import faye from 'faye';
import jsforce from 'jsforce';
import { StreamingExtension } from 'jsforce/lib/api/streaming.js';
import { describe, expect, it } from 'vitest';
import { createSim } from '../../src/sim/sim.ts';
import { controlOf } from '../support/control.ts';
import { until } from '../support/servers.ts';
import { type OpenOrg, openOrg } from './open-org.ts';

const CHANNEL = '/data/ContactChangeEvent';

/** A client written from the documentation alone: posts, keeps cookies, reads texts. */
function listener({ url, token }: Pick<OpenOrg, 'url' | 'token'>, headers: Record<string, string> = {}) {
  let cookie = '';
  let clientId: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: answers of the wire are compared key by key.
  async function say(message: object, more: Record<string, string> = {}): Promise<any[]> {
    const answer = await fetch(`${url}/cometd/66.0`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', cookie, ...headers, ...more },
      body: JSON.stringify([{ id: '1', ...(clientId ? { clientId } : {}), ...message }]),
    });
    const set = answer.headers.getSetCookie().filter((one) => !one.startsWith('CookieConsent'));
    if (set.length > 0) cookie = set.map((one) => one.split(';')[0]).join('; ');
    raw.push(await answer.clone().text());
    return (await answer.json()) as [];
  }
  const raw: string[] = [];
  return {
    say,
    raw,
    async handshake() {
      const [answer] = await say({
        channel: '/meta/handshake',
        version: '1.0',
        minimumVersion: '1.0',
        supportedConnectionTypes: ['long-polling'],
        ext: { replay: true },
      });
      clientId = answer.clientId;
      return answer;
    },
    subscribe: async (subscription = CHANNEL, from?: number) =>
      (
        await say({
          channel: '/meta/subscribe',
          subscription,
          ...(from === undefined ? {} : { ext: { replay: { [subscription]: from } } }),
        })
      )[0],
    connect: () => say({ channel: '/meta/connect', connectionType: 'long-polling' }),
  };
}

async function openListening(settings: object = {}, options: Parameters<typeof openOrg>[0] = {}) {
  const org = await openOrg(options);
  await org.sim('POST', '/settings', { changeDataCapture: ['Contact'], cometdHoldMs: 300, ...settings });
  const own = listener(org);
  await own.handshake();
  return Object.assign(own, { org, [Symbol.asyncDispose]: () => org[Symbol.asyncDispose]() });
}

const make = async (org: OpenOrg, fields: object = { LastName: 'Moyo' }): Promise<string> =>
  (await org.api('POST', '/sobjects/Contact', fields)).body.id;

describe('change events', () => {
  it('tell what a request changed: dotted names, nested parts, nulls, digits that no number holds, and by whom', async () => {
    await using own = await openListening();
    await own.subscribe();
    const client = { 'Sforce-Call-Options': 'client=gatehouse-1a2b3c4d' };
    const id = await make(own.org, { LastName: 'Moyo', Title: 'Dr', MailingCity: 'Harare' });
    const [created] = await own.connect();
    expect(created.channel).toBe(CHANNEL);
    expect(created.data.payload.ChangeEventHeader).toMatchObject({
      entityName: 'Contact',
      changeType: 'CREATE',
      changedFields: [],
      recordIds: [id],
      sequenceNumber: 1,
      changeOrigin: 'com/salesforce/api/rest/66.0',
    });
    expect(created.data.payload).toMatchObject({ Name: { LastName: 'Moyo' }, MailingAddress: { City: 'Harare' } });
    await own.org.api(
      'PATCH',
      `/sobjects/Contact/${id}`,
      { LastName: 'Ndlovu', Title: null, MailingCity: 'Paris' },
      client,
    );
    const [changed, meta] = await own.connect();
    const { ChangeEventHeader: header, ...fields } = changed.data.payload;
    expect([...header.changedFields].sort()).toEqual([
      'LastModifiedDate',
      'MailingAddress.City',
      'Name.LastName',
      'Title',
    ]);
    expect(header.changeOrigin).toBe('com/salesforce/api/rest/66.0;client=gatehouse-1a2b3c4d');
    expect(header.commitTimestamp % 1000).toBe(0);
    expect(own.raw.at(-1)).toMatch(/"commitNumber":\d{19}[,}]/);
    expect(fields).toMatchObject({ Title: null, Name: { LastName: 'Ndlovu' }, MailingAddress: { City: 'Paris' } });
    expect(changed.data.event.replayId).toBeGreaterThan(created.data.event.replayId);
    expect(meta).toMatchObject({ channel: '/meta/connect', successful: true });
    await own.org.api('DELETE', `/sobjects/Contact/${id}`);
    expect((await own.connect())[0].data.payload.ChangeEventHeader.changeType).toBe('DELETE');
    await own.org.sim('POST', '/undelete', { object: 'Contact', id });
    const [back] = await own.connect();
    expect(back.data.payload).toMatchObject({
      ChangeEventHeader: { changeType: 'UNDELETE', changeOrigin: '' },
      Name: {},
    });
  });

  it('of one request bear one transaction, and those alike are told together', async () => {
    await using own = await openListening();
    await own.subscribe();
    const ids = [await make(own.org), await make(own.org), await make(own.org)];
    await own.connect();
    const records = ids.map((id, at) => ({ attributes: { type: 'Contact' }, id, Title: at === 2 ? 'B' : 'A' }));
    await own.org.api('PATCH', '/composite/sobjects', { allOrNone: false, records });
    const events = (await own.connect()).filter(({ data }) => data).map(({ data }) => data.payload.ChangeEventHeader);
    expect(events.map(({ recordIds }) => recordIds)).toEqual([ids.slice(0, 2), ids.slice(2)]);
    expect(events.map(({ sequenceNumber }) => sequenceNumber)).toEqual([1, 2]);
    expect(new Set(events.map(({ transactionKey }) => transactionKey)).size).toBe(1);
  });

  it('come of a merge, of what is selected only, and of nothing that was taken back', async () => {
    await using own = await openListening();
    const [master, duplicate] = [await make(own.org), await make(own.org)];
    await own.subscribe();
    await own.org.api('POST', '/sobjects/Account', { Name: 'Acme' });
    const records = [{ attributes: { type: 'Contact' }, LastName: 'X' }, { attributes: { type: 'Contact' } }];
    await own.org.api('POST', '/composite/sobjects', { allOrNone: true, records });
    await own.org.sim('POST', '/merge', { object: 'Contact', master, duplicate });
    const told = (await own.connect()).filter(({ data }) => data).map(({ data }) => data.payload.ChangeEventHeader);
    expect(told.map(({ changeType, recordIds }) => [changeType, ...recordIds]).sort()).toEqual([
      ['DELETE', duplicate],
      ['UPDATE', master],
    ]);
  });

  it('show a subscriber the fields that he may see', async () => {
    await using own = await openListening({ changeDataCapture: ['Account'] });
    await own.subscribe('/data/AccountChangeEvent');
    await own.org.sim('POST', '/records/Account', { Name: 'Acme', AnnualRevenue: 5 });
    expect((await own.connect())[0].data.payload).toMatchObject({ Name: 'Acme', AnnualRevenue: 5 });
    const limited = listener(await own.org.as('limited@sim.example'));
    await limited.handshake();
    expect(await limited.subscribe('/data/AccountChangeEvent')).toMatchObject({
      successful: false,
      error: '403::User not allowed to subscribe CDC without View All Data permissions',
    });
  });

  it('are replayed from an id, all of them with -2, and refused outside of the window in the recorded words', async () => {
    await using own = await openListening();
    await make(own.org, { LastName: 'One' });
    await make(own.org, { LastName: 'Two' });
    await own.subscribe(CHANNEL, -2);
    const names = async () =>
      (await own.connect()).filter(({ data }) => data).map(({ data }) => data.payload.Name.LastName);
    const [{ data: first }] = await own.connect();
    await own.subscribe(CHANNEL, first.event.replayId);
    expect(await names()).toEqual(['Two']);
    await own.org.sim('POST', '/events', { do: 'trim' });
    const { replayId } = first.event;
    expect((await own.subscribe(CHANNEL, replayId)).error).toBe(
      `400::The replayId {${replayId}} you provided was invalid.  Please provide a valid ID, -2 to replay all events, or -1 to replay only new events.`,
    );
    expect((await own.subscribe(CHANNEL, -1)).successful).toBe(true);
  });
});

describe('the streaming API', () => {
  it('demands its cookies byte for byte, and one message a request', async () => {
    await using own = await openListening();
    const [none] = await own.say({ channel: '/meta/subscribe', subscription: CHANNEL }, { cookie: '' });
    expect(none.error).toMatch(/^400::Client \S+ has established a session, but no BAYEUX_BROWSER cookie present$/);
    const [first] = await own.say(
      { channel: '/meta/subscribe', subscription: CHANNEL },
      { cookie: 'BAYEUX_BROWSER=x%2Fa' },
    );
    expect(first).toMatchObject({ error: '403::Unknown client', advice: { reconnect: 'handshake' } });
    const answer = await fetch(`${own.org.url}/cometd/66.0`, {
      method: 'POST',
      headers: { authorization: `Bearer ${own.org.token}` },
      body: 'x'.repeat(32_769),
    });
    expect([answer.status, await answer.text()]).toEqual([413, 'Maximum Request Size Exceeded']);
  });

  it('answers a held connect at once when something happens, and with nothing when nothing does', async () => {
    await using own = await openListening({ cometdHoldMs: 20_000 });
    await own.subscribe();
    const started = performance.now();
    const held = own.connect();
    await make(own.org);
    expect(await held).toHaveLength(2);
    expect(performance.now() - started).toBeLessThan(5_000);
    await own.org.sim('POST', '/settings', { cometdHoldMs: 20 });
    expect(await own.connect()).toMatchObject([{ channel: '/meta/connect', successful: true }]);
  });

  it('says the words of every refusal', async () => {
    await using own = await openListening();
    const error = async (verb: string, act: () => Promise<unknown>) => {
      await own.org.sim('POST', '/events', { do: verb });
      return act();
    };
    expect(await own.subscribe('/data/contactChangeEvent')).toMatchObject({
      error: expect.stringMatching(/^400::The channel you requested to subscribe to doesn't exist/),
    });
    expect(await error('forgetClients', own.connect)).toMatchObject([
      { error: '403::Unknown client', advice: { interval: 0, reconnect: 'handshake' } },
    ]);
    expect(await error('busy', own.handshake)).toMatchObject({
      ext: { sfdc: { failureReason: expect.stringMatching(/^503::Server is too busy/) } },
      error: '401::Authentication invalid',
    });
    await own.handshake();
    expect(await error('disconnect', own.connect)).toMatchObject([{ channel: '/meta/disconnect' }]);
    await own.handshake();
    expect(await error('deliveryLimit', () => own.subscribe())).toMatchObject({
      error: '403::Organization total events daily limit exceeded',
    });
    expect(await error('clientLimit', own.handshake)).toMatchObject({
      error: '403::Handshake denied',
      ext: { sfdc: { failureReason: '403::Organization concurrent user limit exceeded' } },
    });
    await own.org.sim('POST', '/expire');
    expect(await own.handshake()).toMatchObject({
      error: '403::Handshake denied',
      ext: { sfdc: { failureReason: '401::Authentication invalid' } },
    });
  });

  it('looks at the token of a client while it is connected', async () => {
    await using own = await openListening({ cometdHoldMs: 20_000 });
    await own.subscribe();
    const held = own.connect();
    await own.org.sim('POST', '/expire');
    expect(await held).toMatchObject([{ error: '401::Authentication invalid', advice: { reconnect: 'none' } }]);
  });

  it('counts clients and deliveries, in /limits too, and forgets who stays away', async () => {
    let now = Date.parse('2026-05-04T10:00:00Z');
    await using own = await openListening({ cometdHoldMs: 10 }, { now: () => now });
    await own.subscribe();
    await make(own.org);
    await own.connect();
    const limits = async () => (await own.org.api('GET', '/limits')).body;
    expect(await limits()).toMatchObject({
      DailyDeliveredPlatformEvents: { Max: 10_000, Remaining: 9_999 },
      StreamingApiConcurrentClients: { Max: 20, Remaining: 19 },
    });
    now += 41_000;
    expect((await own.connect())[0].error).toBe('403::Unknown client');
    expect((await limits()).StreamingApiConcurrentClients.Remaining).toBe(20);
  });

  it('meets the faults that every other path meets', async () => {
    await using own = await openListening();
    await own.org.sim('POST', '/faults', { type: 'status', status: 503, times: 1, match: { path: '/cometd/' } });
    await expect(own.connect()).resolves.toMatchObject([{ errorCode: 'SERVER_UNAVAILABLE' }]);
    await own.org.sim('POST', '/faults', { type: 'drop', times: 1, match: { path: '/cometd/' } });
    await expect(own.connect()).rejects.toThrow();
  });

  it('serves platform events, published over REST, twice with one uuid where that is asked for', async () => {
    await using own = await openListening();
    await own.subscribe('/event/Order_Event__e');
    const { status, body } = await own.org.api('POST', '/sobjects/Order_Event__e', { Status__c: 'Sent' });
    expect([status, body.success, body.errors[0].statusCode]).toEqual([201, true, 'OPERATION_ENQUEUED']);
    const [one] = await own.connect();
    expect(one.data).toMatchObject({ payload: { Status__c: 'Sent' }, event: { EventApiName: 'Order_Event__e' } });
    await own.org.sim('POST', '/events', { do: 'duplicate' });
    const [again] = await own.connect();
    expect(again.data.event.EventUuid).toBe(one.data.event.EventUuid);
    expect(again.data.event.replayId).toBeGreaterThan(one.data.event.replayId);
  });

  it('of two processes on one file is one: what one writes reaches who listens at the other', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-events-'));
    const file = path.join(folder, 'org.db');
    try {
      await using own = await openListening({ cometdHoldMs: 20_000 }, { file });
      await own.subscribe();
      const held = own.connect();
      const other = await createSim({ file });
      await controlOf(other)('POST', 'records/Contact', { LastName: 'Moyo' });
      expect((await held)[0].data.payload.Name.LastName).toBe('Moyo');
      await other.close();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

/** Its types leave this out. */
const disconnect = (client: object) => (client as { disconnect(): void }).disconnect();

describe('independent clients', () => {
  it('of jsforce hear of a change on one channel', async () => {
    await using own = await openListening({ cometdHoldMs: 2_000 });
    const conn = new jsforce.Connection({ instanceUrl: own.org.url, accessToken: own.org.token, version: '66.0' });
    const client = conn.streaming.createClient([new StreamingExtension.Replay(CHANNEL, -1)]);
    const heard: unknown[] = [];
    const subscribed = client.subscribe(CHANNEL, (event: object) => void heard.push(event));
    await subscribed;
    const id = await make(own.org);
    await until(() => heard.length === 1);
    expect(heard).toMatchObject([{ payload: { ChangeEventHeader: { recordIds: [id] } } }]);
    subscribed.cancel();
    disconnect(client);
  });

  it('of faye hear of a change, and of what went before', async () => {
    await using own = await openListening({ cometdHoldMs: 2_000 });
    await make(own.org, { LastName: 'Before' });
    const client = new faye.Client(`${own.org.url}/cometd/66.0`, { timeout: 110, retry: 1 });
    Object.assign(client, { _disabled: ['websocket'] });
    client.setHeader('Authorization', `OAuth ${own.org.token}`);
    client.addExtension({
      // biome-ignore lint/suspicious/noExplicitAny: faye has no types.
      outgoing(message: any, done: (message: any) => void) {
        if (message.channel === '/meta/subscribe') message.ext = { replay: { [CHANNEL]: -2 } };
        done(message);
      },
    });
    const heard: string[] = [];
    // biome-ignore lint/suspicious/noExplicitAny: faye has no types.
    await client.subscribe(CHANNEL, (event: any) => void heard.push(event.payload.Name.LastName));
    await make(own.org, { LastName: 'After' });
    await until(() => heard.length === 2);
    expect(heard).toEqual(['Before', 'After']);
    await expect(Promise.resolve(client.subscribe('/data/GoneChangeEvent', () => {}))).rejects.toMatchObject({
      message: expect.stringMatching(/The channel you requested to subscribe to doesn't exist/),
    });
    // Unknown all at once, it begins anew by itself, and hears on.
    await own.org.sim('POST', '/events', { do: 'forgetClients' });
    await make(own.org, { LastName: 'After that' });
    await until(() => heard.includes('After that'));
    disconnect(client);
  });

  it('of CometD hear of a change', async () => {
    await using own = await openListening({ cometdHoldMs: 2_000 });
    adapt();
    const client = new cometdClient.CometD();
    client.unregisterTransport('websocket');
    client.configure({
      url: `${own.org.url}/cometd/66.0`,
      requestHeaders: { Authorization: `Bearer ${own.org.token}` },
      appendMessageTypeToURL: false,
    });
    await new Promise<void>((resolve, reject) =>
      client.handshake((answer: { successful: boolean }) =>
        answer.successful ? resolve() : reject(new Error(JSON.stringify(answer))),
      ),
    );
    const heard: unknown[] = [];
    await new Promise<void>((resolve) =>
      client.subscribe(
        CHANNEL,
        ({ data }) => void heard.push(data),
        () => resolve(),
      ),
    );
    const id = await make(own.org);
    await until(() => heard.length === 1);
    expect(heard).toMatchObject([{ payload: { ChangeEventHeader: { recordIds: [id] } } }]);
    const refusal = await new Promise((resolve) =>
      client.subscribe(
        '/data/GoneChangeEvent',
        () => {},
        (answer: unknown) => resolve(answer),
      ),
    );
    expect(refusal).toMatchObject({
      successful: false,
      error: expect.stringMatching(/^400::The channel you requested to subscribe to doesn't exist/),
    });
    await new Promise<void>((resolve) => client.disconnect(() => resolve()));
  });
});
