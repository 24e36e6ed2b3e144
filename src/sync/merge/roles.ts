import type { Link } from '../../domain/link.ts';
import type { LogChange } from '../../domain/log-change.ts';
import type { SyncDeps } from '../../ports/sync.ts';
import type { PartyRole } from '../../ports/sync-store.ts';
import { PARTS_PER_CALL, type RowWrite, type Sender, sendParts, toParts } from '../remote/collection-write.ts';
import { ROLE } from '../remote/policy-bounds.ts';
import type { Target } from '../remote/target.ts';

/** A case's people as contact roles of its Opportunity. */
export interface Role {
  readonly party: string;
  readonly contactId: string;
  readonly role: string;
}

interface RemoteRole {
  readonly id: string;
  readonly contactId: string;
  readonly role: string | null;
}

/** Base of the roles in the link, beside the fields: `contactId=role`, sorted. */
export const ROLES_KEY = '#roles';

export function wantedRoles(
  target: Target,
  parties: readonly PartyRole[],
  contacts: ReadonlyMap<string, string>,
): readonly Role[] {
  const names = target.compiled.mapping.roles;
  const seen = new Set<string>();
  return parties.flatMap(({ party, role }) => {
    const contactId = contacts.get(party);
    // One contact role per contact: Salesforce takes more, people do not mean them.
    if (contactId === undefined || seen.has(contactId)) return [];
    seen.add(contactId);
    return [{ party, contactId, role: names[role] ?? role }];
  });
}

export function rolesText(roles: readonly Role[]): string {
  return roles
    .map(({ contactId, role }) => `${contactId}=${role}`)
    .sort()
    .join('\n');
}

export function remoteRoles(record: Readonly<Record<string, unknown>> | undefined): readonly RemoteRole[] {
  const children = record?.OpportunityContactRoles;
  // A child list is {records: [...]} or null.
  const rows =
    typeof children === 'object' && children !== null ? (children as { records?: unknown }).records : undefined;
  return (Array.isArray(rows) ? rows : []).map((row: Record<string, unknown>) => ({
    id: String(row.Id),
    contactId: String(row.ContactId),
    role: typeof row.Role === 'string' ? row.Role : null,
  }));
}

export interface RoleWork {
  readonly link: Link;
  readonly wanted: readonly Role[];
  readonly there: readonly RemoteRole[];
}

/** Those of a record that is made in the same go: it has none yet, and its Id is told by `record`. */
export const newRoles = <T>(wanted: readonly Role[], record: T) =>
  wanted.map(({ contactId, role }, index) => ({
    OpportunityId: record,
    ContactId: contactId,
    Role: role,
    IsPrimary: index === 0,
  }));

/** How the log tells that a case's people were written. */
export const rolesChange = ({ base }: Pick<Link, 'base'>, wanted: readonly Role[]): LogChange => ({
  field: 'OpportunityContactRoles',
  local: ['parties'],
  before: base[ROLES_KEY] ?? null,
  after: rolesText(wanted),
});

/** Adds what is missing, renames what we wrote, takes away what we wrote and the case no longer has. What people added stays. */
export function planRoles({ link, wanted, there }: RoleWork): readonly RowWrite<Link>[] {
  const ours = new Map(
    String(link.base[ROLES_KEY] ?? '')
      .split('\n')
      .filter(Boolean)
      .map((line) => {
        const at = line.indexOf('=');
        return [line.slice(0, at), line.slice(at + 1)] as const;
      }),
  );
  const byContact = new Map(there.map((role) => [role.contactId, role]));
  const writes: RowWrite<Link>[] = wanted.flatMap(({ contactId, role }, index): RowWrite<Link>[] => {
    const found = byContact.get(contactId);
    if (!found) {
      const isPrimary = index === 0 && there.length === 0;
      return [
        {
          item: link,
          method: 'create',
          object: ROLE,
          id: '',
          fields: { OpportunityId: link.sfId, ContactId: contactId, Role: role, IsPrimary: isPrimary },
        },
      ];
    }
    // A colleague's own choice of role stays, unless the case changed it since.
    const isOurs = found.role === null || found.role === ours.get(contactId) || ours.get(contactId) !== role;
    return found.role !== role && isOurs
      ? [{ item: link, method: 'update', object: ROLE, id: found.id, fields: { Role: role } }]
      : [];
  });
  const kept = new Set(wanted.map((role) => role.contactId));
  for (const [contactId] of ours) {
    const found = byContact.get(contactId);
    if (found && !kept.has(contactId))
      writes.push({ item: link, method: 'delete', object: ROLE, id: found.id, fields: {} });
  }
  return writes;
}

/** Sends the role writes of many cases; answers the first failure per link, and the links of which some were not sent. */
export async function sendRoles(
  deps: SyncDeps,
  target: Target,
  writes: readonly RowWrite<Link>[],
  sender: Sender,
): Promise<{ readonly failed: ReadonlyMap<string, Link['error']>; readonly unsent: ReadonlySet<string> }> {
  const unsent = new Set<string>();
  const failed = new Map<string, Link['error']>();
  const parts = toParts(writes, 200);
  for (let first = 0; first < parts.length; first += PARTS_PER_CALL) {
    const some = parts.slice(first, first + PARTS_PER_CALL);
    const { outcomes, trouble } = await sendParts(target.org, some, sender);
    if (trouble !== undefined) throw trouble;
    for (const { item, failure } of outcomes) if (failure && !failed.has(item.id)) failed.set(item.id, failure.error);
    if (outcomes.length < some.flat().length) for (const { item } of parts.slice(first).flat()) unsent.add(item.id);
    if (unsent.size > 0) break;
    await deps.crash?.('roles-sent');
  }
  return { failed, unsent };
}
