/** The message as Salesforce words it, and what counts as an acknowledgement. */
import { parseDatetime } from '../datetimes.ts';
import { organizationId } from '../oauth/app.ts';
import type { Org } from '../org.ts';
import { masked } from '../records/shown-forms.ts';
import { fieldOf } from '../schema/object.ts';
import type { Row, Value } from '../table.ts';
import type { Delivery } from './queue.ts';

export function toSoap(
  org: Org,
  { action, notices }: Delivery,
  origin: string,
  version: string,
  sessionId: string | undefined,
): string {
  const orgId = organizationId(org);
  const number = version.slice(1);
  const session = sessionId ? `<SessionId>${escapeXml(sessionId)}</SessionId>` : '<SessionId xsi:nil="true"/>';
  const body = notices.map(({ id, recordId }) => {
    const row = org.row(action.object, recordId);
    // Data is what the record holds now; a record that is gone has none.
    const fields =
      row && !row.IsDeleted ? showFields(org, action.object, row, action.fields) : `<sf:Id>${recordId}</sf:Id>`;
    return `   <Notification>
    <Id>${id}</Id>
    <sObject xsi:type="sf:${action.object}" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">
     ${fields}
    </sObject>
   </Notification>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <soapenv:Body>
  <notifications xmlns="http://soap.sforce.com/2005/09/outbound">
   <OrganizationId>${orgId}</OrganizationId>
   <ActionId>${action.id}</ActionId>
   ${session}
   <EnterpriseUrl>${escapeXml(origin)}/services/Soap/c/${number}/${orgId.slice(0, 15)}</EnterpriseUrl>
   <PartnerUrl>${escapeXml(origin)}/services/Soap/u/${number}/${orgId.slice(0, 15)}</PartnerUrl>
${body.join('\n')}
  </notifications>
 </soapenv:Body>
</soapenv:Envelope>`;
}

export function isAcknowledged(status: number, body: string): boolean {
  return (
    status === 200 &&
    /<(?:\w+:)?notificationsResponse[\s>]/.test(body) &&
    /<(?:\w+:)?Ack>\s*true\s*<\/(?:\w+:)?Ack>/.test(body)
  );
}

function showFields(org: Org, object: string, row: Row, names: readonly string[]): string {
  const type = org.schema.object(object);
  const lines = ['Id', ...names.filter((name) => name.toLowerCase() !== 'id')].flatMap((name) => {
    const field = type && fieldOf(type, name);
    const value = field && masked(field, row[field.name] ?? null);
    if (!field || value === undefined || value === null) return [];
    return [`<sf:${field.name}>${escapeXml(shown(field.type, value))}</sf:${field.name}>`];
  });
  return lines.join('\n     ');
}

/** Datetimes end in Z with milliseconds here, unlike REST. */
function shown(type: string, value: Exclude<Value, null>): string {
  return type === 'datetime' ? new Date(parseDatetime(String(value)) ?? 0).toISOString() : String(value);
}

function escapeXml(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  // Control characters other than tab and line breaks cannot stand in XML 1.0 at all.
  const legal = [...text].filter((char) => char >= ' ' || /[\t\n\r]/.test(char)).join('');
  return legal.replace(/[&<>"]/g, (char) => entities[char] ?? char);
}
