import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OpenOrg, openOrg } from './open-org.ts';

const acknowledgement = (value: string) =>
  `<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>${value}</Ack></notificationsResponse></soapenv:Body></soapenv:Envelope>`;

describe('outbound messages of the simulated org', () => {
  let org: OpenOrg;
  let hook: Server;
  let received: string[];
  let answer: { status: number; body: string };

  beforeEach(async () => {
    received = [];
    answer = { status: 200, body: acknowledgement('true') };
    hook = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk) => {
        text += chunk;
      });
      request.on('end', () => {
        received.push(text);
        response.writeHead(answer.status, { 'Content-Type': 'text/xml' }).end(answer.body);
      });
    });
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
    org = await openOrg();
    // A listening server has an address of this kind.
    const { port } = hook.address() as AddressInfo;
    await org.sim('POST', '/outbound-messages', {
      object: 'Contact',
      url: `http://127.0.0.1:${port}/hook`,
      fields: ['LastName', 'Email', 'SystemModstamp'],
    });
    answer = { status: 500, body: '' };
  });
  afterEach(async () => {
    await org[Symbol.asyncDispose]();
    hook.closeAllConnections();
    await new Promise((resolve) => hook.close(resolve));
  });

  const queue = async () => (await org.sim('GET', '/outbound-messages')).body.queue;
  const deliver = async () => (await org.sim('POST', '/outbound-messages/deliver')).body;

  it('are worded as Salesforce words them, nulls left out, the session unsaid [X5]', async () => {
    answer = { status: 200, body: acknowledgement('true') };
    const made = await org.api('POST', '/sobjects/Contact', { LastName: 'A & <B>' });
    await deliver();
    const text = received.join('');
    expect(text).toContain('<OrganizationId>00D5i000000SimZEAS</OrganizationId>');
    expect(text).toContain('<SessionId xsi:nil="true"/>');
    expect(text).toMatch(/<EnterpriseUrl>http[^<]+\/services\/Soap\/c\/66\.0\/00D5i000000SimZ<\/EnterpriseUrl>/);
    expect(text).toMatch(
      /<Notification>\s*<Id>04l\w{15}<\/Id>\s*<sObject xsi:type="sf:Contact" xmlns:sf="urn:sobject\.enterprise\.soap\.sforce\.com">/,
    );
    expect(text).toContain(`<sf:Id>${made.body.id}</sf:Id>`);
    expect(text).toContain('<sf:LastName>A &amp; &lt;B&gt;</sf:LastName>');
    expect(text).toMatch(/<sf:SystemModstamp>[\d-]+T[\d:]+\.000Z<\/sf:SystemModstamp>/);
    expect(text).not.toContain('sf:Email');
    expect(await queue()).toEqual([]);
  });

  it('stay queued until Ack is true, come again with the same id and the data of now [X5]', async () => {
    const made = await org.api('POST', '/sobjects/Contact', { LastName: 'First' });
    await deliver();
    answer = { status: 200, body: acknowledgement('false') };
    await org.api('PATCH', `/sobjects/Contact/${made.body.id}`, { LastName: 'Second' });
    await deliver();
    expect((await queue()).length).toBe(2);
    answer = { status: 200, body: acknowledgement('true') };
    await deliver();
    expect(await queue()).toEqual([]);
    const ids = (text: string) => [...text.matchAll(/<Id>(04l\w{15})<\/Id>/g)].map((match) => match[1]);
    const last = received.at(-1) ?? '';
    expect(ids(last)).toHaveLength(2);
    expect(ids(last)).toContain(ids(received[0] ?? '')[0]);
    expect(last.match(/<sf:LastName>Second</g)).toHaveLength(2);
  });

  it('carry a hundred at most, wait longer each time, and are dropped after a day [X5]', async () => {
    const records = Array.from({ length: 150 }, (_, n) => ({ attributes: { type: 'Contact' }, LastName: `N${n}` }));
    await org.api('POST', '/composite/sobjects', { records });
    await deliver();
    const sizes = received
      .slice(-2)
      .map((text) => text.match(/<Notification>/g)?.length)
      .sort();
    expect(sizes).toEqual([100, 50]);
    const [notice] = await queue();
    expect(notice.attempts).toBeGreaterThan(0);
    expect(notice.lastError).toContain('HTTP 500');
    await org.sim('POST', '/clock', { advanceMs: 24 * 60 * 60 * 1000 + 1 });
    await deliver();
    expect(await queue()).toEqual([]);
  });

  it('send no data for a record that is gone by then [X5]', async () => {
    const made = await org.api('POST', '/sobjects/Contact', { LastName: 'Gone' });
    await org.api('DELETE', `/sobjects/Contact/${made.body.id}`);
    await deliver();
    expect(received.at(-1)).toContain(made.body.id);
    expect(received.at(-1)).not.toContain('LastName');
  });
});
