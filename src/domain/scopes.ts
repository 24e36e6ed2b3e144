/** What a person lets a program ask for in their name (OAuth scopes). Policy and people still decide about each call. */
export const SCOPES = ['gatehouse:read', 'gatehouse:write'] as const;
export type Scope = (typeof SCOPES)[number];

/** Whoever may write may read: a step up never takes away what was granted before. */
export function withReading(scopes: readonly Scope[]): readonly Scope[] {
  return scopes.includes('gatehouse:write') ? SCOPES : scopes;
}

/** Those of a `scope` parameter or column that are ours; unknown ones are dropped, never refused. */
export function scopesIn(text: string): readonly Scope[] {
  const asked = new Set(text.split(' '));
  return SCOPES.filter((scope) => asked.has(scope));
}
