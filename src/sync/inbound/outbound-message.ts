import { readXml, type XmlElement, XmlProblem } from './xml.ts';

/**
 * Salesforce's outbound messages (SOAP 1.1). Read by namespace, never by prefix; up to 100 notifications; the session id
 * is dropped at once, and so is every value: a message only says which record to read again.
 * https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_om_outboundmessaging.htm
 */
export interface OutboundMessage {
  readonly organizationId: string;
  readonly actionId: string;
  readonly notifications: readonly Notification[];
}

export interface Notification {
  /** `04l...`: the same on every repeat. */
  readonly id: string;
  readonly object: string;
  readonly recordId: string;
}

export class NotAnOutboundMessage extends Error {}

const SOAP = 'http://schemas.xmlsoap.org/soap/envelope/';
const OUTBOUND = 'http://soap.sforce.com/2005/09/outbound';
const INSTANCE = 'http://www.w3.org/2001/XMLSchema-instance';
const MOST = 100;
const ID = /^[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?$/;

export async function parseOutboundMessage(body: string): Promise<OutboundMessage> {
  const root = await read(body);
  if (root.namespace !== SOAP || root.name !== 'Envelope')
    throw new NotAnOutboundMessage('the root is no SOAP envelope');
  const notifications = child(child(root, SOAP, 'Body'), OUTBOUND, 'notifications');
  const items = notifications.children.filter((one) => one.namespace === OUTBOUND && one.name === 'Notification');
  if (items.length === 0 || items.length > MOST) {
    throw new NotAnOutboundMessage(`${items.length} notifications; a message holds 1 to ${MOST}`);
  }
  return {
    organizationId: idText(child(notifications, OUTBOUND, 'OrganizationId')),
    actionId: idText(child(notifications, OUTBOUND, 'ActionId')),
    notifications: items.flatMap(toNotification),
  };
}

export const ACK = envelope(`<notificationsResponse xmlns="${OUTBOUND}"><Ack>true</Ack></notificationsResponse>`);

/** `soapenv:Client`: the message is wrong; `soapenv:Server`: send it again later. */
export function fault(side: 'Client' | 'Server', reason: string): string {
  return envelope(
    `<soapenv:Fault><faultcode>soapenv:${side}</faultcode><faultstring>${escapeXml(reason)}</faultstring></soapenv:Fault>`,
  );
}

/** A record that was deleted before its notification left comes without data: nothing to read, and no reason to refuse the others. */
function toNotification(item: XmlElement): readonly Notification[] {
  const id = idText(child(item, OUTBOUND, 'Id'));
  const record = item.children.find((one) => one.namespace === OUTBOUND && one.name === 'sObject');
  if (record === undefined || record.children.length === 0) return [];
  const type = record.attributes.get(`{${INSTANCE}}type`) ?? '';
  const recordId = record.children.find(({ name, children }) => name === 'Id' && children.length === 0)?.text ?? '';
  if (!ID.test(recordId)) throw new NotAnOutboundMessage('a notification without a record id');
  return [{ id, object: type.slice(type.indexOf(':') + 1), recordId }];
}

async function read(body: string): Promise<XmlElement> {
  try {
    return await readXml(body);
  } catch (error) {
    if (error instanceof XmlProblem) throw new NotAnOutboundMessage(error.message, { cause: error });
    throw error;
  }
}

function child(parent: XmlElement, namespace: string, name: string): XmlElement {
  const found = parent.children.find((one) => one.namespace === namespace && one.name === name);
  if (!found) throw new NotAnOutboundMessage(`${name} is missing`);
  return found;
}

function idText({ text, name }: XmlElement): string {
  if (!ID.test(text.trim())) throw new NotAnOutboundMessage(`${name} holds no id`);
  return text.trim();
}

function envelope(body: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="${SOAP}"><soapenv:Body>${body}</soapenv:Body></soapenv:Envelope>`;
}

function escapeXml(text: string): string {
  return text.replace(/[<>&"']/g, (mark) => `&#${mark.charCodeAt(0)};`);
}
