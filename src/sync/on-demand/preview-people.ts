import type { Change } from '../../domain/action.ts';
import { GatehouseError } from '../../domain/errors.ts';
import type { Link } from '../../domain/link.ts';
import type { SyncDeps } from '../../ports/sync.ts';
import type { HostRecord } from '../../ports/sync-store.ts';
import { toChanges } from '../engine/changes.ts';
import { planRoles, ROLES_KEY, remoteRoles, rolesText, wantedRoles } from '../merge/roles.ts';
import type { RowWrite } from '../remote/collection-write.ts';
import { openTarget, type Target } from '../remote/target.ts';
import { previewRecords, type RecordPreview } from './preview-record.ts';

export interface PeoplePreview {
  readonly changes: readonly Change[];
  readonly warnings: readonly string[];
}

/** What a case's sync would do besides the case: contacts of people nobody linked yet, and contact roles. */
export async function previewPeople(
  deps: SyncDeps,
  target: Target,
  caseRecord: RecordPreview,
  /** Why people without a link are not looked for. */
  hidden: GatehouseError | undefined,
): Promise<PeoplePreview> {
  const { host, link, row } = caseRecord;
  if (!target.hasRoles) return { changes: [], warnings: [] };
  const people = await openTarget(deps, target.scope.bot, target.org, 'party');
  const { store } = deps;
  const there = remoteRoles(row?.record);
  const ids = [...new Set(host.parties.map(({ party }) => party))];
  const links = await store.links.byLocal(target.scope, people.object, ids);
  const holders = (
    await store.links.bySf(
      target.scope,
      there.map((role) => role.contactId),
    )
  ).flatMap(({ localId, sfId }) => (sfId === null ? [] : [[sfId, localId] as const]));
  const wantedIds = [...new Set([...ids, ...holders.map(([, localId]) => localId)])];
  const persons = new Map(
    (await store.hosts.get(target.scope.bot, 'party', wantedIds)).map((person) => [person.id, person]),
  );
  const involved = ids.flatMap((id) => persons.get(id) ?? []);
  const { seen, warnings } = await unknown(deps, people, involved, links, hidden);

  const contacts = new Map<string, string>();
  if (people.object === 'Contact') {
    for (const one of links) if (one.sfId !== null && one.state === 'active') contacts.set(one.localId, one.sfId);
    for (const one of seen) contacts.set(one.host.id, one.row?.id ?? `new ${one.host.id}`);
  }
  const byContact = [...holders, ...[...contacts].map(([party, contactId]) => [contactId, party] as const)];
  const names = new Map(byContact.map(([contactId, party]) => [contactId, nameOf(people, persons.get(party), party)]));
  const wanted = wantedRoles(target, host.parties, contacts);
  const writes = rolesText(wanted) === (link.base[ROLES_KEY] ?? '') ? [] : planRoles({ link, wanted, there });
  return {
    warnings,
    changes: [
      ...seen.flatMap((one) => changesOfPerson(people, one, nameOf(people, one.host, one.host.id))),
      ...writes.map((write) => toChange(write)),
    ],
  };

  function toChange({ method, id, fields }: RowWrite<Link>): Change {
    const before = there.find((role) => role.id === id);
    const contactId = before?.contactId ?? String(fields.ContactId);
    const said = (role: unknown) => `${names.get(contactId) ?? contactId} (${role ?? 'no role'})`;
    return {
      field: 'OpportunityContactRole',
      label: 'Contact role',
      before: before ? said(before.role) : null,
      after: method === 'delete' ? null : said(fields.Role),
    };
  }
}

/** People of the case whom a sync would link or create first. */
async function unknown(
  deps: SyncDeps,
  people: Target,
  persons: readonly HostRecord[],
  links: readonly Link[],
  hidden: GatehouseError | undefined,
): Promise<{ readonly seen: readonly RecordPreview[]; readonly warnings: readonly string[] }> {
  const known = new Map(links.map((link) => [link.localId, link]));
  const open = persons.filter(
    (person) => person.deletedAt === null && (known.get(person.id)?.state ?? 'new') === 'new',
  );
  if (open.length === 0) return { seen: [], warnings: [] };
  const closed = people.refusal ?? hidden;
  if (closed) return { seen: [], warnings: [peopleLeftOut(closed)] };
  const found = await previewRecords(deps, people, open);
  const seen = found.filter((one): one is RecordPreview => !(one instanceof GatehouseError));
  const problems = found.flatMap((one, at) =>
    one instanceof GatehouseError ? [`Person ${JSON.stringify(open[at]?.id)} is left out: ${one.message}`] : [],
  );
  return {
    seen,
    warnings: [
      ...people.warnings,
      ...seen.flatMap(({ plan }) => [...plan.problems, ...plan.waitsFor].map(({ message }) => message)),
      ...problems,
    ],
  };
}

export const peopleLeftOut = (refusal: GatehouseError): string =>
  `People of the case without a Contact are left out: ${refusal.message}`;

function changesOfPerson(people: Target, { row, plan, makes }: RecordPreview, name: string): readonly Change[] {
  const { object } = people;
  const made: Change[] = row ? [] : [{ field: object, label: `New ${object}`, before: null, after: name }];
  const fields = toChanges(people, { pushed: plan.pushed, pulled: plan.pulled, makes }, row?.record);
  return [
    ...made,
    ...fields.map((one) => ({ ...one, field: `${object}.${one.field}`, label: `${name}: ${one.label}` })),
  ];
}

/** As the mapping says the name; the id where policy closes it. */
function nameOf({ compiled }: Target, person: HostRecord | undefined, id: string): string {
  const rule = compiled.rules.find(({ remote }) => remote.includes('LastName'));
  return String((person && rule?.fromHost(person)) || id);
}
