/** Addresses of an org with state and country/territory picklists: listed names only, and name and code in step. */
import { type Fault, Refusal } from '../refusal.ts';
import { countryNames, stateNames } from '../schema/countries.ts';
import { fieldOf, type ObjectType } from '../schema/object.ts';
import type { Value } from '../table.ts';

type Draft = Record<string, Value | undefined>;

/** Mutates the draft: a name brings its code, a code its name. Throws what Salesforce says of an unlisted one. */
export function settleAddresses(object: ObjectType, draft: Draft, changed: ReadonlySet<string>): void {
  const faults: Fault[] = [];
  for (const { name } of object.fields) {
    const prefix = /^(\w*)CountryCode$/.exec(name)?.[1];
    if (prefix === undefined) continue;
    const parts = ['Country', 'CountryCode', 'State', 'StateCode'].map((part) => prefix + part);
    if (!parts.some((part) => changed.has(part))) continue;
    const country = settle(draft, changed, `${prefix}Country`, countryNames);
    if (country === 'unlisted')
      faults.push(problem(object, `${prefix}Country`, 'country', 'country/territory', 'countries'));
    const code = draft[`${prefix}CountryCode`];
    const hasState = changed.has(`${prefix}State`) || changed.has(`${prefix}StateCode`);
    if (country === 'unlisted' || !hasState) continue;
    const listed = (typeof code === 'string' ? stateNames[code] : undefined) ?? new Map<string, string>();
    if (settle(draft, changed, `${prefix}State`, listed) !== 'unlisted') continue;
    const isPlaceless = typeof code !== 'string';
    faults.push(
      isPlaceless ? noCountry(object, prefix) : problem(object, `${prefix}State`, 'state', 'state', 'states'),
    );
  }
  if (faults.length > 0) throw new Refusal(400, ...faults);
}

type Outcome = 'listed' | 'unlisted' | 'empty';

/** The code wins where only it was given; else the name decides. */
function settle(
  draft: Draft,
  changed: ReadonlySet<string>,
  name: string,
  listed: ReadonlyMap<string, string>,
): Outcome {
  const byCode = changed.has(`${name}Code`) && !changed.has(name);
  const given = String(draft[byCode ? `${name}Code` : name] ?? '').toLowerCase();
  const found = [...listed].find(([code, label]) => given === (byCode ? code : label).toLowerCase());
  if (given !== '' && !found) return 'unlisted';
  draft[`${name}Code`] = found?.[0];
  draft[name] = found?.[1];
  return found ? 'listed' : 'empty';
}

function problem(object: ObjectType, name: string, what: string, choose: string, list: string): Fault {
  const message = `There's a problem with this ${what}, even though it may appear correct. Please select a ${choose} from the list of valid ${list}.: ${labelOf(object, name)}`;
  return { message, errorCode: 'FIELD_INTEGRITY_EXCEPTION', fields: [name] };
}

function noCountry(object: ObjectType, prefix: string): Fault {
  const message = `A country/territory must be specified before specifying a state value for field: ${labelOf(object, `${prefix}State`)}`;
  return { message, errorCode: 'FIELD_INTEGRITY_EXCEPTION', fields: [`${prefix}State`] };
}

const labelOf = (object: ObjectType, name: string): string => fieldOf(object, name)?.label ?? name;
