/** What Salesforce documents of fields that a plain org does not have: each added or switched on under `/_sim/`. */
import { describe, expect, it } from 'vitest';
import { sharedOrg } from './open-org.ts';

describe('what an administrator may have set up', () => {
  const org = sharedOrg();

  const addField = (type: string, more: object = {}) =>
    org.sim('POST', '/fields', { object: 'Contact', name: 'Extra__c', type, ...more });
  const describeField = async (object: string, name: string) => {
    const { body } = await org.api('GET', `/sobjects/${object}/describe`);
    return body.fields.find((field: { name: string }) => field.name === name);
  };
  const save = (fields: object) => org.api('POST', '/sobjects/Contact', { LastName: 'Vos', ...fields });
  const stored = async (value: unknown) => {
    const { status, body } = await save({ Extra__c: value });
    if (status !== 201) return body[0].errorCode;
    return (await org.api('GET', `/sobjects/Contact/${body.id}?fields=Extra__c`)).body.Extra__c;
  };
  const idOf = async (object: string) => (await org.query(`SELECT Id FROM ${object} LIMIT 1`)).body.records[0].Id;

  it('keeps rich text as HTML, and what was read can be written back unchanged [X5]', async () => {
    await addField('html');
    expect(await describeField('Contact', 'Extra__c')).toMatchObject({
      type: 'textarea',
      htmlFormatted: true,
      extraTypeInfo: 'richtextarea',
      filterable: false,
    });
    expect(await stored('a < b & "c"\nsecond line')).toBe('a &lt; b &amp; &quot;c&quot;<br>second line');
    expect(await stored('a &lt; b<br>it&#39;s <b>bold</b> <made up>')).toBe(
      'a &lt; b<br>it&#39;s <b>bold</b> &lt;made up&gt;',
    );
  });

  it('shows of a classic encrypted text its last four characters, by record and by query [X5]', async () => {
    await addField('encryptedstring', { length: 30 });
    expect(await describeField('Contact', 'Extra__c')).toMatchObject({
      type: 'encryptedstring',
      encrypted: true,
      mask: 'asterisk',
      maskType: 'lastFour',
      filterable: false,
    });
    expect(await stored('AB-1234-5678')).toBe('********5678');
    const { body } = await org.query(`SELECT Extra__c FROM Contact WHERE LastName = 'Vos'`);
    expect(body.records[0].Extra__c).toBe('********5678');
    const refused = await org.query(`SELECT Id FROM Contact WHERE Extra__c = 'AB-1234-5678'`);
    expect([refused.status, refused.body[0].errorCode]).toEqual([400, 'INVALID_FIELD']);
  });

  it.each([
    ['time', {}, '9:30', 'JSON_PARSER_ERROR'],
    ['time', {}, '09:30', '09:30:00.000Z'],
    ['time', {}, '23:59:59.5Z', '23:59:59.500Z'],
    ['multipicklist', { values: ['Cranes', 'Hoists', 'Lifts'] }, 'Lifts;Cranes; Lifts', 'Cranes;Lifts'],
    ['multipicklist', { values: ['Cranes', 'Lifts'] }, 'Lifts, Cranes', 'Lifts, Cranes'],
    [
      'multipicklist',
      { values: ['Cranes'], isRestricted: true },
      'Cranes;X',
      'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST',
    ],
    ['double', { precision: 6, scale: 2 }, 1000.005, 1000.01],
    ['double', { precision: 6, scale: 2 }, -1.005, -1.01],
    ['double', { precision: 6, scale: 2 }, 9999.994, 9999.99],
    ['double', { precision: 6, scale: 2 }, 9999.995, 'NUMBER_OUTSIDE_VALID_RANGE'],
    ['currency', {}, 1e18, 'NUMBER_OUTSIDE_VALID_RANGE'],
    ['percent', { precision: 5, scale: 0 }, 2.5, 3],
    ['double', { precision: 6, scale: 2 }, '0x10', 'JSON_PARSER_ERROR'],
  ])('keeps a %s %j given as %j as %j [X5]', async (type, more, given, kept) => {
    await addField(type, more);
    expect(await stored(given)).toBe(kept);
  });

  it('takes a field at creation only, and refuses a field made read-only [X5]', async () => {
    await addField('string', { isUpdateable: false });
    expect(await describeField('Contact', 'Extra__c')).toMatchObject({ createable: true, updateable: false });
    const { body } = await save({ Extra__c: 'once' });
    const change = (fields: object) => org.api('PATCH', `/sobjects/Contact/${body.id}`, fields);
    expect((await change({ Extra__c: 'twice' })).body[0]).toMatchObject({
      errorCode: 'INVALID_FIELD_FOR_INSERT_UPDATE',
      fields: ['Extra__c'],
    });
    expect((await change({ Phone: '1' })).status).toBe(204);
    await org.sim('POST', '/settings', { readOnlyFields: ['Contact.Phone'] });
    expect(await describeField('Contact', 'Phone')).toMatchObject({ createable: false, updateable: false });
    expect((await change({ Phone: '2' })).body[0].errorCode).toBe('INVALID_FIELD_FOR_INSERT_UPDATE');
  });

  it('ignores the amount of an opportunity with products, and says 204 [X5]', async () => {
    const id = await idOf('Opportunity');
    await org.sim('POST', '/records/Opportunity', { Id: id, HasOpportunityLineItem: true });
    const before = (await org.api('GET', `/sobjects/Opportunity/${id}`)).body;
    expect((await org.api('PATCH', `/sobjects/Opportunity/${id}`, { Amount: 5, NextStep: 'x' })).status).toBe(204);
    const after = (await org.api('GET', `/sobjects/Opportunity/${id}`)).body;
    expect([after.Amount, after.NextStep]).toEqual([before.Amount, 'x']);
  });

  it('takes listed countries and states only, and keeps name and code in step [X5]', async () => {
    await org.sim('POST', '/settings', { countryPicklists: true });
    expect((await save({ MailingCountry: 'USA' })).body[0]).toEqual({
      message:
        "There's a problem with this country, even though it may appear correct. Please select a country/territory from the list of valid countries.: Mailing Country",
      errorCode: 'FIELD_INTEGRITY_EXCEPTION',
      fields: ['MailingCountry'],
    });
    const { body } = await save({ MailingCountry: 'United States', MailingStateCode: 'TX' });
    expect((await org.api('GET', `/sobjects/Contact/${body.id}`)).body.MailingAddress).toMatchObject({
      country: 'United States',
      countryCode: 'US',
      state: 'Texas',
      stateCode: 'TX',
    });
    expect((await save({ MailingState: 'Texas' })).body[0]).toMatchObject({ fields: ['MailingState'] });
    expect((await save({ MailingCountry: 'Canada', MailingState: 'Texas' })).body[0].message).toContain('this state');
    const seeded = await org.query(`SELECT BillingCountryCode FROM Account WHERE Name = 'Acme Industries'`);
    expect(seeded.body.records[0].BillingCountryCode).toBe('NL');
  });

  it('cannot filter, sort or group by a field under Shield [X5]', async () => {
    await org.sim('POST', '/settings', { shieldFields: ['Contact.Email'] });
    expect(await describeField('Contact', 'Email')).toMatchObject({ filterable: false, sortable: false });
    for (const [clause, what] of [
      [`WHERE Email = 'x@y.example'`, 'filtered'],
      [`WHERE LastName = 'x' AND Email IN ('x@y.example')`, 'filtered'],
      ['ORDER BY Email', 'sorted'],
    ]) {
      const { status, body } = await org.query(`SELECT Id FROM Contact ${clause}`);
      expect([status, body[0].errorCode]).toEqual([400, 'INVALID_FIELD']);
      expect(body[0].message).toContain(`field 'Email' can not be ${what} in a query call`);
    }
    expect((await org.query('SELECT Email FROM Contact LIMIT 1')).body.records[0].Email).toContain('@');
  });

  it('gives every amount a currency once the org has several [X5]', async () => {
    await org.sim('POST', '/settings', { multiCurrency: true });
    const id = await idOf('Opportunity');
    expect((await org.api('GET', `/sobjects/Opportunity/${id}`)).body.CurrencyIsoCode).toBe('USD');
    expect((await org.api('PATCH', `/sobjects/Opportunity/${id}`, { CurrencyIsoCode: 'JPY' })).status).toBe(204);
    expect((await org.query(`SELECT Id FROM Opportunity WHERE CurrencyIsoCode = 'JPY'`)).body.totalSize).toBe(1);
    const wrong = await org.api('PATCH', `/sobjects/Opportunity/${id}`, { CurrencyIsoCode: 'XYZ' });
    expect(wrong.body[0].errorCode).toBe('INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST');
    await org.sim('POST', '/settings', { multiCurrency: false });
    expect(await describeField('Opportunity', 'CurrencyIsoCode')).toBeUndefined();
  });

  it('says what is wrong with a field that cannot be added [X5]', async () => {
    for (const field of [{ name: 'Extra' }, { type: 'blob' }, { object: 'Kontakt' }, { isUnique: 'yes' }]) {
      expect((await addField('string', field)).status).toBe(400);
    }
  });
});
