/** The simulated org's id. */
export const ORG = '00D5i000000SimZEAS';

/** An outbound message about contacts, as Salesforce words it. */
export function soapMessage(ids: readonly string[], fields = '', org = ORG, first = 0) {
  const items = ids.map(
    (id, n) =>
      `<Notification><Id>04l5i000000${String(first + n).padStart(4, '0')}</Id><sObject xsi:type="sf:Contact" xmlns:sf="urn:sobject.enterprise.soap.sforce.com"><sf:Id>${id}</sf:Id>${fields}</sObject></Notification>`,
  );
  return `<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><notifications xmlns="http://soap.sforce.com/2005/09/outbound"><OrganizationId>${org}</OrganizationId><ActionId>04k5i0000000001AAA</ActionId><SessionId xsi:nil="true"/>${items.join('')}</notifications></soapenv:Body></soapenv:Envelope>`;
}
