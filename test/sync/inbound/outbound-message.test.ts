import { describe, expect, it } from 'vitest';
import { ACK, fault, NotAnOutboundMessage, parseOutboundMessage } from '../../../src/sync/inbound/outbound-message.ts';
import { readXml } from '../../../src/sync/inbound/xml.ts';

const notification = (
  n: number,
  record = '<sf:Id>0035i00000Abc12AAB</sf:Id><sf:Title>Boss &amp; friend</sf:Title>',
) => `
  <Notification><Id>04l5i000000${String(n).padStart(4, '0')}</Id>
   <sObject xsi:type="sf:Contact" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">${record}</sObject></Notification>`;

const message = (items: string, org = '00D5i000000AbCdEAK') => `<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <soapenv:Body><notifications xmlns="http://soap.sforce.com/2005/09/outbound">
  <OrganizationId>${org}</OrganizationId><ActionId>04k5i0000000001AAA</ActionId><SessionId xsi:nil="true"/>
  <EnterpriseUrl>https://x.example/services/Soap/c/66.0/00D5i000000AbCd</EnterpriseUrl><PartnerUrl>https://x.example</PartnerUrl>
  ${items}</notifications></soapenv:Body></soapenv:Envelope>`;

describe('an outbound message [I1]', async () => {
  it('is read: org, action and which records, and no value of theirs', async () => {
    expect(await parseOutboundMessage(message(notification(1)))).toEqual({
      organizationId: '00D5i000000AbCdEAK',
      actionId: '04k5i0000000001AAA',
      notifications: [{ id: '04l5i0000000001', object: 'Contact', recordId: '0035i00000Abc12AAB' }],
    });
  });

  it('is read by namespace: other prefixes and the other attribute order are the same message', async () => {
    const other = message(notification(1))
      .replace(
        'xsi:type="sf:Contact" xmlns:sf="urn:sobject.enterprise.soap.sforce.com"',
        `xmlns:q='urn:sobject.enterprise.soap.sforce.com' xsi:type='q:Contact'`,
      )
      .replaceAll('sf:Id', 'q:Id')
      .replaceAll('sf:Title', 'q:Title')
      .replaceAll('soapenv', 'S');
    expect(await parseOutboundMessage(other)).toEqual(await parseOutboundMessage(message(notification(1))));
  });

  it('never keeps the session id', async () => {
    const withSession = message(notification(1)).replace(
      '<SessionId xsi:nil="true"/>',
      '<SessionId>00D!secret</SessionId>',
    );
    expect(JSON.stringify(await parseOutboundMessage(withSession))).not.toContain('secret');
  });

  it.each([
    ['no record at all', (item: string) => item.replace(/<sObject.*<\/sObject>/s, '')],
    ['a record that is nil', (item: string) => item.replace(/<sObject.*<\/sObject>/s, '<sObject xsi:nil="true"/>')],
    ['a record without a field', (item: string) => item.replace(/<sf:Id>.*<\/sf:Title>/s, '')],
  ])('of a record that is gone by then holds up no other: %s', async (_, withoutData) => {
    const ids = async (items: string) => (await parseOutboundMessage(message(items))).notifications.map(({ id }) => id);
    expect(await ids(notification(1) + withoutData(notification(2)) + notification(3))).toEqual([
      '04l5i0000000001',
      '04l5i0000000003',
    ]);
    expect(await ids(withoutData(notification(2)))).toEqual([]);
  });

  it('takes 100 notifications, and not 101', async () => {
    const many = (n: number) => message(Array.from({ length: n }, (_, i) => notification(i)).join(''));
    expect((await parseOutboundMessage(many(100))).notifications).toHaveLength(100);
    await expect(parseOutboundMessage(many(101))).rejects.toThrow(NotAnOutboundMessage);
    await expect(parseOutboundMessage(many(0))).rejects.toThrow(NotAnOutboundMessage);
  });

  it.each([
    ['nothing', ''],
    [
      'a DTD',
      message(notification(1)).replace('<soapenv:Envelope', '<!DOCTYPE x [<!ENTITY a "aaaa">]><soapenv:Envelope'),
    ],
    ['an entity of its own', message(notification(1, '<sf:Id>0035i00000Abc12AAB</sf:Id><sf:Title>&a;</sf:Title>'))],
    ['another root', '<a xmlns="http://schemas.xmlsoap.org/soap/envelope/"/>'],
    ['another namespace', message(notification(1)).replace('2005/09/outbound', '2005/09/inbound')],
    ['half a body', message(notification(1)).slice(0, 600)],
    ['a record id that is none', message(notification(1, "<sf:Id>1' OR 1=1</sf:Id>"))],
    ['no record id', message(notification(1, '<sf:Title>Boss</sf:Title>'))],
    ['an undeclared prefix', message(notification(1)).replaceAll('sf:Title', 'zz:Title')],
    ['a thousand nested tags', '<a>'.repeat(1000)],
    ['JSON', '{"a":1}'],
    ['a NUL, which no store keeps', message(notification(1)).replace('sf:Contact', 'sf:Con\0tact')],
    ['a bare ampersand', message(notification(1, '<sf:Id>0035i00000Abc12AAB</sf:Id><sf:T>a & b</sf:T>'))],
  ])('is refused when it holds %s', async (_, body) => {
    await expect(parseOutboundMessage(body)).rejects.toThrow(NotAnOutboundMessage);
  });

  it('costs four times as much for a hostile megabyte as for a quarter of one, not sixteen times', async () => {
    const costOf = async (bytes: number) => {
      const before = process.cpuUsage();
      for (const body of [
        `<a ${'b '.repeat(bytes / 2)}`,
        `<a>${'&amp;'.repeat(bytes / 5)}`,
        '<a>'.repeat(bytes / 3),
        `<a b="${'x'.repeat(bytes)}`,
        '<!--'.repeat(bytes / 4),
      ]) {
        await expect(parseOutboundMessage(body)).rejects.toThrow(NotAnOutboundMessage);
      }
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    await costOf(240_000);
    const quarter = await costOf(240_000);
    // Microseconds of this process; what is less than five milliseconds is nobody's cost.
    expect(await costOf(960_000)).toBeLessThan(9 * Math.max(quarter, 5_000));
  });

  it('is answered in the form that Salesforce demands', async () => {
    const answer = (await readXml(ACK)).children[0]?.children[0];
    expect([answer?.namespace, answer?.name, answer?.children[0]?.text]).toEqual([
      'http://soap.sforce.com/2005/09/outbound',
      'notificationsResponse',
      'true',
    ]);
    expect((await readXml(fault('Client', '<&>'))).children[0]?.children[0]?.children[1]?.text).toBe('<&>');
  });
});
