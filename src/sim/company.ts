/** The records a new simulated org starts with. */
import type { SeedRecord, SimSeed } from './seed-form.ts';

const account = (
  ref: string,
  Name: string,
  Account_Key__c: string,
  Industry: string,
  BillingCity: string,
  BillingCountry: string,
  rest: SeedRecord = {},
): SeedRecord => ({
  ref,
  Name,
  Account_Key__c,
  Industry,
  BillingCity,
  BillingCountry,
  Website: `https://${ref}.example`,
  Type: 'Customer - Direct',
  ...rest,
});

const contact = (
  ref: string,
  AccountId: string,
  FirstName: string,
  LastName: string,
  Title: string,
  rest: SeedRecord = {},
): SeedRecord => ({
  ref,
  AccountId: `@${AccountId}`,
  FirstName,
  LastName,
  Title,
  Email: `${FirstName}.${LastName.replaceAll(' ', '')}@${AccountId}.example`.toLowerCase(),
  ...rest,
});

const lead = (
  FirstName: string,
  LastName: string,
  Company: string,
  Email: string,
  rest: SeedRecord = {},
): SeedRecord => ({
  FirstName,
  LastName,
  Company,
  Email,
  LeadSource: 'Web',
  ...rest,
});

const opportunity = (
  Reference__c: string,
  AccountId: string,
  Name: string,
  StageName: string,
  Amount: number | null,
  CloseDate: string,
  rest: SeedRecord = {},
): SeedRecord => ({
  ref: Reference__c,
  Reference__c,
  AccountId: `@${AccountId}`,
  Name,
  StageName,
  Amount,
  CloseDate,
  Type: 'New Customer',
  ...rest,
});

const role = (OpportunityId: string, ContactId: string, Role: string, IsPrimary: boolean): SeedRecord => ({
  OpportunityId: `@${OpportunityId}`,
  ContactId: `@${ContactId}`,
  Role,
  IsPrimary,
});

export const company: SimSeed = {
  records: {
    Account: [
      account('acme', 'Acme Industries', 'ACME-001', 'Manufacturing', 'Rotterdam', 'Netherlands', {
        AnnualRevenue: 48_000_000,
        NumberOfEmployees: 320,
        Phone: '+31 10 555 0101',
        Rating: 'Hot',
        BillingStreet: 'Maaskade 12',
        BillingPostalCode: '3071 ND',
        ageDays: 700,
      }),
      account('globex', 'Globex Shipping', 'GLOB-002', 'Shipping', 'Hamburg', 'Germany', {
        AnnualRevenue: 120_000_000,
        NumberOfEmployees: 900,
        Phone: '+49 40 555 0102',
        Rating: 'Warm',
        ageDays: 650,
      }),
      account('initech', 'Initech Software', 'INIT-003', 'Technology', 'Austin', 'United States', {
        AnnualRevenue: 9_500_000,
        NumberOfEmployees: 75,
        Phone: '+1 512 555 0103',
        ageDays: 420,
      }),
      account('umber', 'Umber & Sons', 'UMBR-004', 'Construction', 'Leeds', 'United Kingdom', {
        NumberOfEmployees: 40,
        Phone: '+44 113 555 0104',
        ageDays: 380,
      }),
      account('northwind', 'Northwind Traders', 'NORT-005', 'Food & Beverage', 'Oslo', 'Norway', {
        NumberOfEmployees: 210,
        Phone: '+47 22 55 01 05',
        ageDays: 300,
      }),
      account('northwind-us', 'Northwind Traders', 'NORT-006', 'Retail', 'Seattle', 'United States', {
        NumberOfEmployees: 60,
        Phone: '+1 206 555 0106',
        Type: 'Prospect',
        ageDays: 90,
      }),
      account('stark', 'Stark Energy Cooperative', 'STRK-007', 'Energy', 'Lyon', 'France', {
        AnnualRevenue: 31_000_000,
        NumberOfEmployees: 150,
        Type: 'Customer - Channel',
        ageDays: 260,
      }),
      account('wonka', 'Wonka Foods', 'WONK-008', 'Food & Beverage', 'Ghent', 'Belgium', {
        NumberOfEmployees: 500,
        Rating: 'Cold',
        Type: 'Prospect',
        ageDays: 60,
      }),
    ],
    Contact: [
      contact('rosa', 'acme', 'Rosa', 'Gonzalez', 'Head of Procurement', {
        Phone: '+31 10 555 0111',
        Preferred_Channel__c: 'email',
        TimeZone__c: 'Europe/Amsterdam',
        MailingCity: 'Rotterdam',
      }),
      contact('jan', 'acme', 'Jan', 'de Vries', 'Plant Manager', {
        Phone: '+31 10 555 0112',
        MailingCity: 'Rotterdam',
      }),
      contact('greta', 'globex', 'Greta', 'Baum', 'Chief Operating Officer', {
        Phone: '+49 40 555 0121',
        TimeZone__c: 'Europe/Berlin',
        MailingCity: 'Hamburg',
      }),
      contact('otto', 'globex', 'Otto', 'Fischer', 'Fleet Manager', { MailingCity: 'Hamburg' }),
      contact('peter', 'initech', 'Peter', 'Gibbons', 'Engineering Lead', {
        MailingCity: 'Austin',
        TimeZone__c: 'America/Chicago',
      }),
      contact('samir', 'initech', 'Samir', 'Nagheenanajar', 'Software Engineer', { MailingCity: 'Austin' }),
      contact('will', 'umber', 'Will', 'Umber', 'Owner', {
        Phone: '+44 113 555 0141',
        Preferred_Channel__c: 'phone',
        MailingCity: 'Leeds',
      }),
      contact('ingrid', 'northwind', 'Ingrid', 'Solberg', 'Buyer', { MailingCity: 'Oslo' }),
      contact('lars', 'northwind', 'Lars', 'Åsen', 'Finance Director', { MailingCity: 'Oslo' }),
      contact('dana', 'northwind-us', 'Dana', 'Whitfield', 'Store Operations', { MailingCity: 'Seattle' }),
      contact('claire', 'stark', 'Claire', 'Moreau', 'Directrice technique', {
        MailingCity: 'Lyon',
        TimeZone__c: 'Europe/Paris',
      }),
      contact('noor', 'wonka', 'Noor', 'Peeters', 'Purchasing', { MailingCity: 'Ghent' }),
    ],
    Lead: [
      lead('Maya', 'Okafor', 'Brightwater Labs', 'maya.okafor@brightwater.example', {
        Status: 'Working - Contacted',
        Industry: 'Biotechnology',
        Rating: 'Hot',
        Phone: '+44 20 5550 0201',
        ageDays: 12,
      }),
      lead('Tom', 'Ferreira', 'Casa Ferreira', 'tom@casaferreira.example', { Industry: 'Hospitality', ageDays: 8 }),
      lead('Yuki', 'Tanaka', 'Tanaka Optics', 'yuki.tanaka@tanaka.example', {
        LeadSource: 'Partner Referral',
        Industry: 'Electronics',
        ageDays: 5,
      }),
      lead('Elif', 'Demir', 'Demir Tekstil', 'elif@demir.example', {
        LeadSource: 'Phone Inquiry',
        Industry: 'Apparel',
        ageDays: 3,
      }),
      lead('Sean', "O'Neill", 'Harp Brewing', 'sean.oneill@harp.example', {
        Status: 'Closed - Not Converted',
        Rating: 'Cold',
        ageDays: 45,
      }),
      lead('Priya', 'Raman', 'Raman Logistics', 'priya@ramanlogistics.example', {
        Industry: 'Transportation',
        ageDays: 1,
      }),
    ],
    Campaign: [
      {
        ref: 'fair',
        Name: 'Hannover Fair',
        Type: 'Trade Show',
        Status: 'Completed',
        StartDate: '-120d',
        EndDate: '-116d',
        IsActive: false,
      },
      {
        ref: 'webinar',
        Name: 'Predictive maintenance webinar',
        Type: 'Webinar',
        Status: 'In Progress',
        StartDate: '-10d',
        EndDate: '+20d',
        IsActive: true,
      },
    ],
    Product2: [
      { Name: 'Sensor pack S1', ProductCode: 'SEN-S1', IsActive: true },
      { Name: 'Gateway G5', ProductCode: 'GTW-G5', IsActive: true },
      { Name: 'Care plan, yearly', ProductCode: 'CARE-Y', IsActive: true },
    ],
    Opportunity: [
      opportunity('OPP-123', 'acme', 'Acme sensor rollout', 'Negotiation/Review', 85_000, '+21d', {
        NextStep: 'Send the revised contract',
        LeadSource: 'Web',
      }),
      opportunity('OPP-124', 'acme', 'Acme care plan', 'Proposal/Price Quote', 12_500, '+35d', {
        Type: 'Existing Customer - Upgrade',
      }),
      opportunity('OPP-125', 'globex', 'Globex fleet telemetry', 'Value Proposition', 240_000, '+60d', {
        NextStep: 'Workshop with the fleet team',
      }),
      opportunity('OPP-126', 'globex', 'Globex port gateways', 'Qualification', 60_000, '+90d', {
        CampaignId: '@fair',
      }),
      opportunity('OPP-200', 'initech', 'Initech pilot', 'Needs Analysis', 18_000, '+40d'),
      opportunity('OPP-201', 'umber', 'Umber site monitoring', 'Prospecting', null, '+75d'),
      opportunity('OPP-300', 'northwind', 'Northwind cold chain', 'Perception Analysis', 54_000, '+28d'),
      opportunity('OPP-301', 'northwind-us', 'Northwind store sensors', 'Id. Decision Makers', 22_000, '+50d', {
        CampaignId: '@webinar',
      }),
      opportunity('OPP-400', 'stark', 'Stark turbine retrofit', 'Closed Won', 98_000, 'this-quarter', { ageDays: 100 }),
      opportunity('OPP-401', 'acme', 'Acme line two', 'Closed Won', 41_000, 'this-quarter', { ageDays: 80 }),
      opportunity('OPP-402', 'globex', 'Globex crane sensors', 'Closed Won', 67_500, '-130d', { ageDays: 200 }),
      opportunity('OPP-403', 'initech', 'Initech office air', 'Closed Won', 7_200, '-220d', { ageDays: 300 }),
      opportunity('OPP-404', 'stark', 'Stark care plan', 'Closed Won', 15_000, '-400d', { ageDays: 450 }),
      opportunity('OPP-456', 'umber', 'Umber warehouse', 'Negotiation/Review', 33_000, '+14d', {
        NextStep: 'Wait for the board',
      }),
      opportunity('OPP-457', 'wonka', 'Wonka cocoa line', 'Closed Lost', 120_000, '-20d', { ageDays: 120 }),
    ],
    OpportunityContactRole: [
      role('OPP-123', 'rosa', 'Decision Maker', true),
      role('OPP-123', 'jan', 'Influencer', false),
      role('OPP-125', 'greta', 'Economic Buyer', true),
      role('OPP-300', 'ingrid', 'Business User', true),
      role('OPP-456', 'will', 'Decision Maker', true),
    ],
    Case: [
      {
        AccountId: '@acme',
        ContactId: '@jan',
        Subject: 'Sensor 14 reports no temperature',
        Status: 'Working',
        Priority: 'High',
        Origin: 'Phone',
        Type: 'Electronic',
        ageDays: 4,
      },
      {
        AccountId: '@globex',
        ContactId: '@otto',
        Subject: 'Gateway restarts every night',
        Status: 'New',
        Priority: 'Medium',
        Origin: 'Email',
        Type: 'Electrical',
        ageDays: 2,
      },
      {
        AccountId: '@stark',
        ContactId: '@claire',
        Subject: 'Invoice for March is missing',
        Status: 'Closed',
        Priority: 'Low',
        Origin: 'Web',
        Reason: 'Other',
        ageDays: 40,
      },
      {
        AccountId: '@northwind',
        ContactId: '@ingrid',
        Subject: 'Wants a second login',
        Status: 'New',
        Priority: 'Low',
        Origin: 'Web',
        ageDays: 1,
      },
    ],
    Task: [
      {
        Subject: 'Call',
        WhoId: '@rosa',
        WhatId: '@OPP-123',
        ActivityDate: '+2d',
        Priority: 'High',
        Description: 'Ask about the delivery windows.',
      },
      { Subject: 'Send Quote', WhoId: '@greta', WhatId: '@OPP-125', ActivityDate: '+5d' },
      { Subject: 'Email', WhoId: '@will', WhatId: '@umber', ActivityDate: '-3d', Status: 'Completed' },
    ],
    Event: [
      {
        Subject: 'Meeting',
        WhoId: '@claire',
        WhatId: '@stark',
        Location: 'Lyon',
        ActivityDate: '+7d',
        DurationInMinutes: 60,
      },
    ],
  },
};
