import { z } from 'zod';
import {
  type ActionContext,
  type CheckContext,
  CURRENCY_FIELD,
  defineAction,
  EMAIL,
  type Fields,
  hasCurrencies,
  inCurrency,
  quoted,
} from '../src/domain/action.ts';
import { GatehouseError } from '../src/domain/errors.ts';

const FIELDS = {
  lastName: 'LastName',
  company: 'Company',
  firstName: 'FirstName',
  email: 'Email',
  phone: 'Phone',
  title: 'Title',
  website: 'Website',
  leadSource: 'LeadSource',
  description: 'Description',
} as const;

const input = z.strictObject({
  lastName: z.string().trim().min(1).describe('Family name, e.g. Doe'),
  company: z
    .string()
    .trim()
    .describe(
      'Company name; ask for it, never invent it; empty for a private person, where the org takes leads without one',
    ),
  firstName: z.string().optional().describe('Given name'),
  email: z.email({ pattern: EMAIL }).optional().describe('Work email'),
  phone: z.string().optional().describe('Phone with country code'),
  title: z.string().optional().describe('Job title'),
  website: z.string().optional().describe('Company website'),
  leadSource: z.string().optional().describe('Where the person came from, e.g. Web'),
  description: z.string().optional().describe('What the person wants, in their words'),
});

export default defineAction({
  name: 'CreateLead',
  title: 'Create a lead',
  description:
    'Creates one Salesforce Lead. Use when a person wants to be contacted or buy. Not for changing a Contact or Opportunity. Ask the user for the family name and company first. May wait for approval when a look-alike exists.',
  permission: 'CREATE_LEAD',
  risk: 'write',
  touches: {
    reads: ['Lead', 'Contact'],
    creates: ['Lead'],
    sets: Object.values(FIELDS),
    fields: ['Lead.Name', 'Lead.Company', 'Lead.Email', 'Lead.IsConverted', 'Contact.Name', 'Contact.Email'].concat(
      'Contact.AccountId',
      'Account.Name',
    ),
  },
  exposes: 'Lead',
  input,
  defaults: { company: 'leadCompanyDefault' },
  readAlike: ['lastName', 'firstName', 'company', 'email'],
  output: z.object({
    received: z.boolean().optional().describe('The request was taken'),
    id: z.string().optional().describe('Id of the Lead, or of the record used instead'),
    name: z.string().optional(),
    url: z.string().optional(),
    existing: z.boolean().optional().describe('True when a present record was used instead of a new lead'),
    alreadyDone: z.boolean().optional(),
    warnings: z.array(z.string()).optional(),
  }),

  async preview(person, context) {
    const [{ fields, warnings }, describe, { alike, unasked }] = await Promise.all([
      toLead(person, context),
      context.salesforce.describe('Lead'),
      lookAlikes(person.email, context),
    ]);
    // A new record is in the currency of who makes it, unless it says its own.
    const unsaid = hasCurrencies(describe) ? { [CURRENCY_FIELD]: "the connected user's currency" } : {};
    return {
      summary: `Create a lead for ${fullName(person)}${person.company === '' ? '' : ` at ${person.company}`}`,
      changes: Object.entries(fields).flatMap(([field, after]) => {
        const described = describe.fields.find(({ name }) => name === field);
        const words = { label: field, ...inCurrency(described, { ...unsaid, ...fields }) };
        return after === null ? [] : [{ field, ...words, before: null, after }];
      }),
      warnings: [...warnings, ...unasked],
      ...(alike.length === 0
        ? {}
        : {
            choices: [
              ...alike.map(({ id, label }) => ({ id: `use:${id}`, label })),
              { id: 'create', label: 'Create a new lead anyway' },
            ],
          }),
    };
  },

  check: toLead,
  receipt: { received: true },

  async run(person, context) {
    const { salesforce, choice } = context;
    if (choice?.startsWith('use:')) {
      const id = choice.slice('use:'.length);
      // Whoever it is: only the email is the same.
      const { Name } = await salesforce.get(id.startsWith('003') ? 'Contact' : 'Lead', id, ['Name']);
      const named = typeof Name === 'string' ? { name: Name } : {};
      return { id, ...named, url: salesforce.recordUrl(id), existing: true };
    }
    const { fields, warnings } = await toLead(person, context);
    const { id } = await salesforce.create('Lead', fields, { allowDuplicates: choice === 'create' });
    return {
      received: true,
      id,
      name: fullName(person),
      url: salesforce.recordUrl(id),
      ...(warnings.length > 0 ? { warnings: [...warnings] } : {}),
    };
  },
});

type Person = z.output<typeof input>;

function toLead(person: Person, { salesforce, extra }: CheckContext) {
  const given = Object.entries(FIELDS).flatMap(([name, field]) => {
    const value = person[name as keyof Person]; // the keys of FIELDS are the inputs
    return value === undefined ? [] : [[field, value] as const];
  });
  const fields: Fields = { ...Object.fromEntries(given), ...extra };
  return salesforce.check(
    'Lead',
    'create',
    fields,
    Object.fromEntries(Object.entries(FIELDS).map(([name, field]) => [field, name])),
  );
}

/** People of this email, known as Lead or Contact, in one request; and in words what policy does not let be asked. */
async function lookAlikes(email: string | undefined, { salesforce }: ActionContext) {
  if (email === undefined) return { alike: [], unasked: [] };
  const where = [{ field: 'Email', is: email }];
  const finds = [
    { object: 'Lead', find: { fields: ['Name', 'Company', 'IsConverted'], where, limit: 5 } },
    { object: 'Contact', find: { fields: ['Name', 'Account.Name'], where, limit: 5 } },
  ];
  const unasked: string[] = [];
  const unlessClosed = (object: string) => (error: unknown) => {
    if (!(error instanceof GatehouseError) || error.code !== 'permission_denied') throw error;
    unasked.push(`Whether a ${object} with this email is there was not looked up: ${error.message}`);
    return [[]];
  };
  // Refused before anything is sent, as a whole: what is open of it is asked by itself then.
  const [leads = [], contacts = []] = await salesforce.findAll(finds).catch(async (error: unknown) => {
    if (!(error instanceof GatehouseError) || error.code !== 'permission_denied') throw error;
    const each = finds.map((one) => salesforce.findAll([one]).catch(unlessClosed(one.object)));
    return (await Promise.all(each)).flat();
  });
  const alike = [
    ...contacts.map((contact) => ({
      id: contact.Id,
      label: `Use the contact ${quoted(String(contact.Name ?? contact.Id), 255)} (same email)`,
    })),
    ...leads
      .filter(({ IsConverted }) => IsConverted !== true)
      .map((lead) => ({
        id: lead.Id,
        label: `Use the lead ${quoted(String(lead.Name ?? lead.Id), 255)} at ${quoted(String(lead.Company), 255)} (same email)`,
      })),
  ];
  return { alike, unasked };
}

function fullName({ firstName, lastName }: Person): string {
  return [firstName, lastName].filter(Boolean).join(' ');
}
