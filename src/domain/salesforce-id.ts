/** Salesforce ids: 15 or 18 characters in, verified 18 out (A3). Pure. */

const CHECK = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345';

/** Key prefixes of standard objects. Custom objects get theirs per org, so they are not listed. */
const PREFIX: Readonly<Record<string, string>> = {
  Account: '001',
  Note: '002',
  Contact: '003',
  User: '005',
  Opportunity: '006',
  RecordType: '012',
  Product2: '01t',
  Pricebook2: '01s',
  PricebookEntry: '01u',
  Organization: '00D',
  Group: '00G',
  OpportunityContactRole: '00K',
  OpportunityLineItem: '00k',
  Lead: '00Q',
  Task: '00T',
  Event: '00U',
  CampaignMember: '00v',
  Case: '500',
  Campaign: '701',
  Contract: '800',
  Order: '801',
};

export type IdVerdict = { readonly id: string } | { readonly problem: string };

/** The 18-character form, or what is wrong with the input in words. */
export function toId18(input: string, prefixes?: readonly string[]): IdVerdict {
  const text = input.trim();
  if (!/^([A-Za-z0-9]{15}|[A-Za-z0-9]{18})$/.test(text)) {
    return { problem: 'is not a Salesforce Id: those have 15 or 18 letters and digits' };
  }
  const core = text.slice(0, 15);
  const id = core + checkCharacters(core);
  if (text.length === 18 && text !== id) {
    return { problem: 'has wrong check characters, so a letter was mistyped or its case was changed; copy it again' };
  }
  if (prefixes && !prefixes.some((prefix) => id.startsWith(prefix))) {
    return { problem: `is the Id of another kind of record: it should start with ${prefixes.join(' or ')}` };
  }
  return { id };
}

/** An id that Salesforce itself sent, with 18 characters: its check part is not doubted, but it must look like an id. */
export function receivedId(id: string): string | undefined {
  const verdict = toId18(id);
  return 'id' in verdict ? verdict.id : /^[A-Za-z0-9]{18}$/.exec(id)?.[0];
}

export function prefixesOf(object: string): readonly string[] | undefined {
  const name = Object.keys(PREFIX).find((known) => known.toLowerCase() === object.toLowerCase());
  const prefix = name && PREFIX[name];
  return prefix ? [prefix] : undefined;
}

/** Bit k of each group of five is 1 when character k is A to Z. */
function checkCharacters(core: string): string {
  let check = '';
  for (const start of [0, 5, 10]) {
    let bits = 0;
    for (let k = 0; k < 5; k++) if (/[A-Z]/.test(core.charAt(start + k))) bits |= 1 << k;
    check += CHECK.charAt(bits);
  }
  return check;
}
