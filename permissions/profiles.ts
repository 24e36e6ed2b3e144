import { type ActionPermission, type BuiltInPermission, SALESFORCE_ACTIONS } from './catalog.ts';

/** Who sits at the other end: a public bot talks to strangers, so some answers and grants are narrower (P3, P6). */
export type Audience = 'public' | 'internal';

/** Ready sets for `bot create --profile`. */
export const PROFILES = {
  public: { audience: 'public', grants: ['CREATE_LEAD', 'READ_ACCOUNT'] },
  // Whatever there is: what the policy does not name asks a person.
  internal: { audience: 'internal', grants: SALESFORCE_ACTIONS },
  sync: { audience: 'internal', grants: ['SYNC_PARTY', 'SYNC_CASE'] },
  'read-only': { audience: 'internal', grants: ['READ_ACCOUNT'] },
} as const satisfies Record<string, { audience: Audience; grants: readonly BuiltInPermission[] }>;

export type ProfileName = keyof typeof PROFILES;
export const PROFILE_NAMES = Object.keys(PROFILES) as [ProfileName, ...ProfileName[]]; // its own keys

/** What an operator should think about before this grant takes effect. Warnings, never refusals. */
export function grantWarnings(audience: Audience, permission: ActionPermission): string[] {
  if (audience !== 'public') return [];
  if (permission === 'RUN_SOQL')
    return ['RUN_SOQL lets a public bot query every object its policy opens. Prefer READ_ACCOUNT.'];
  if (permission === 'UPDATE_OPPORTUNITY')
    return ['UPDATE_OPPORTUNITY lets visitors of a public bot propose changes to your pipeline.'];
  if (!(PROFILES.public.grants as readonly ActionPermission[]).includes(permission))
    return [`${permission} is not in the public profile: anybody who writes to this bot could use it.`];
  return [];
}
