/**
 * Standard fields that show the data of another field: an operator who closes Contact.Email means the address, not the column.
 * All names in lower case. `both` also closes the source where the mirror is named, because the mirror shows nothing else.
 */
interface Mirror {
  readonly from: string;
  readonly field: string;
  readonly object: string;
  readonly as: string;
  readonly both: boolean;
}

/** `email>contactemail`; `email` alone keeps its name. */
function rows(from: string, object: string, fields: string, both = false): Mirror[] {
  return fields.split(/\s+/).map((pair) => {
    const [field = '', as = field] = pair.split('>');
    return { from, field, object, as, both };
  });
}

const ACTIVITY = 'email phone';
const MEMBER = `name firstname lastname salutation title email phone mobilephone fax description leadsource donotcall
  hasoptedoutofemail hasoptedoutoffax`;
const NAMES = 'firstname lastname middlename salutation suffix';

const MIRRORS: readonly Mirror[] = [
  ...rows('contact', 'case', 'email>contactemail phone>contactphone mobilephone>contactmobile fax>contactfax', true),
  // What the person typed into the form, about themselves.
  ...rows(
    'contact',
    'case',
    'email>suppliedemail phone>suppliedphone name>suppliedname firstname>suppliedname lastname>suppliedname',
  ),
  ...rows('contact', 'campaignmember', MEMBER),
  ...rows(
    'contact',
    'campaignmember',
    'mailingstreet>street mailingcity>city mailingstate>state mailingpostalcode>postalcode mailingcountry>country',
  ),
  ...rows('lead', 'campaignmember', `${MEMBER} company>companyoraccount street city state postalcode country`),
  ...['task', 'event'].flatMap((activity) => [
    ...rows('contact', activity, ACTIVITY),
    ...rows('lead', activity, ACTIVITY),
  ]),
  ...rows('contact', 'account', NAMES, true),
  ...rows('contact', 'individual', `name ${NAMES} birthdate`),
  ...rows('contact', 'quote', 'email phone fax'),
  ...rows('contact', 'serviceappointment', 'email phone'),
  ...rows('contact', 'contactpointemail', 'email>emailaddress'),
  ...rows('contact', 'contactpointphone', 'phone>telephonenumber mobilephone>telephonenumber'),
  ...rows('contact', 'contactcleaninfo', 'firstname lastname title email phone'),
  ...rows('lead', 'leadcleaninfo', 'firstname lastname title email phone annualrevenue company>companyname'),
  ...rows('account', 'accountcleaninfo', 'phone fax website annualrevenue numberofemployees name>companyname'),
  ...rows('contact', 'emailmessagerelation', 'email>relationaddress'),
  ...rows('lead', 'emailmessagerelation', 'email>relationaddress'),
  ...rows('lead', 'individual', 'name firstname lastname salutation'),
  ...rows('account', 'campaignmember', 'name>companyoraccount'),
  ...rows('account', 'case', 'name>suppliedcompany'),
  ...rows(
    'opportunity',
    'opportunity',
    `amount>expectedrevenue probability>expectedrevenue stagename>forecastcategory stagename>forecastcategoryname
    stagename>probability stagename>expectedrevenue stagename>stagesortorder stagename>iswon stagename>isclosed closedate>fiscal closedate>fiscalyear closedate>fiscalquarter
    forecastcategory>forecastcategoryname forecastcategoryname>forecastcategory`,
  ),
  // Sums of it, and what adds up to it: of a campaign with one opportunity they are the same.
  ...rows(
    'opportunity',
    'campaign',
    `amount>amountallopportunities amount>amountwonopportunities
    amount>hierarchyamountallopportunities amount>hierarchyamountwonopportunities`,
  ),
  ...['opportunitylineitem', 'quotelineitem'].flatMap((line) =>
    rows('opportunity', line, 'amount>totalprice amount>subtotal amount>unitprice'),
  ),
  ...rows('opportunity', 'quote', 'amount>totalprice amount>subtotal amount>grandtotal'),
  ...rows('opportunity', 'opportunitysplit', 'amount>splitamount'),
  ...rows('opportunity', 'forecastingitem', 'amount>forecastamount amount>amountwithoutadjustments'),
  ...rows(
    'event',
    'event',
    `startdatetime>activitydatetime startdatetime>activitydate activitydatetime>startdatetime activitydatetime>activitydate
    activitydate>activitydatetime activitydate>startdatetime enddatetime>enddate`,
  ),
  ...rows('task', 'task', 'status>isclosed priority>ishighpriority'),
  ...rows('case', 'case', 'status>isclosed'),
  ...['contact', 'lead'].flatMap((person) => rows(person, 'recentlyviewed', `name ${NAMES} title email phone`)),
  ...rows('account', 'recentlyviewed', 'name phone'),
  ...['task', 'event'].flatMap((activity) =>
    ['openactivity', 'activityhistory'].flatMap((list) =>
      rows(activity, list, 'subject description status priority location activitydate'),
    ),
  ),
  ...rows('product2', 'pricebookentry', 'name productcode'),
  ...['opportunitylineitem', 'quotelineitem', 'orderitem'].flatMap((item) =>
    rows('product2', item, 'productcode name>product2name'),
  ),
  ...rows('product2', 'opportunitylineitem', 'name'),
  ...rows('product2', 'asset', 'productcode description>productdescription family>productfamily'),
  ...rows('opportunity', 'opportunitylineitem', 'name'),
  ...rows('opportunity', 'opportunitylineitemschedule', 'amount>revenue'),
  // A price and its number make the sum, and a sum of one line is the line.
  ...rows(
    'opportunitylineitem',
    'opportunitylineitem',
    'unitprice>totalprice unitprice>subtotal totalprice>unitprice totalprice>subtotal',
  ),
  ...rows('quote', 'quote', 'totalprice>grandtotal totalprice>subtotal subtotal>totalprice subtotal>grandtotal'),
  ...rows('order', 'orderitem', 'totalamount>totalprice totalamount>unitprice'),
  // One code and its words; a start and a length make the end; a login that is the address in most orgs.
  ...rows('account', 'account', 'sic>sicdesc sicdesc>sic'),
  ...rows('contract', 'contract', 'startdate>enddate contractterm>enddate enddate>contractterm'),
  ...rows('user', 'user', 'email>username'),
  // What a record without a name answers where it is somebody's What.
  ...rows('case', 'case', 'casenumber>name'),
  ...rows('contract', 'contract', 'contractnumber>name'),
  ...rows('order', 'order', 'ordernumber>name'),
  ...rows('solution', 'solution', 'solutionname>name'),
  // Whoever may not know who it is about is not told that person's address either.
  ...rows('case', 'case', 'contactid>contactemail contactid>contactphone contactid>contactmobile contactid>contactfax'),
  ...rows('task', 'task', 'whoid>email whoid>phone'),
  ...rows('event', 'event', 'whoid>email whoid>phone enddatetime>durationinminutes'),
  ...rows('event', 'eventrelation', 'whoid>relationid'),
  ...rows('contact', 'campaignmember', 'accountid accountid>companyoraccount'),
  ...['opportunitylineitem', 'quotelineitem', 'orderitem'].flatMap((item) =>
    rows('pricebookentry', item, 'unitprice>listprice'),
  ),
];

/** Stands for Account in an org whose accounts may be people: elsewhere a company's own name and telephone are nobody's. */
export const PERSON_ACCOUNT = 'account (person)';

const ALL: readonly Mirror[] = [
  ...MIRRORS,
  ...rows('contact', PERSON_ACCOUNT, 'name firstname>name lastname>name phone fax'),
];

export interface Shown {
  readonly object: string;
  readonly field: string;
}

/** Where else the data of a field is shown; of `*` on whatever object it is. */
export function mirrorsOf(object: string, field: string): readonly Shown[] {
  const isFrom = (source: string) => object === source || object === '*';
  return [
    ...ALL.filter((mirror) => isFrom(mirror.from) && mirror.field === field).map((mirror) => ({
      object: mirror.object,
      field: mirror.as,
    })),
    ...(isFrom('contact') ? [{ object: 'account', field: onPersonAccount(field) }] : []),
    // What a campaign counts, and the sum over those below it: of the lowest one they are the same.
    ...(isFrom('campaign') ? [{ object: 'campaign', field: `hierarchy${field}` }] : []),
  ];
}

/** Whose data a field shows; `isOnly` where it shows nothing else. */
export function sourcesOf(object: string, field: string): readonly (Shown & { readonly isOnly: boolean })[] {
  const person = object === 'account' ? ofPerson(field) : undefined;
  return [
    ...ALL.filter((mirror) => mirror.object === object && mirror.as === field).map((mirror) => ({
      object: mirror.from,
      field: mirror.field,
      isOnly: mirror.both,
    })),
    ...(person === undefined ? [] : [{ object: 'contact', field: person, isOnly: true }]),
  ];
}

/** The objects of which one shows fields. */
export function sourceObjects(object: string): ReadonlySet<string> {
  const from = ALL.filter((mirror) => mirror.object === object && mirror.from !== object).map((mirror) => mirror.from);
  return new Set(from);
}

/** A person account shows its contact's fields as its own: SSN__c as SSN__pc, Birthdate as PersonBirthdate. */
function onPersonAccount(field: string): string {
  return /__[cr]$/.test(field) ? `${field.slice(0, -1)}p${field.slice(-1)}` : `person${field}`;
}

function ofPerson(field: string): string | undefined {
  if (/__p[cr]$/.test(field)) return `${field.slice(0, -2)}${field.slice(-1)}`;
  return /^person.+/.test(field) ? field.slice('person'.length) : undefined;
}
