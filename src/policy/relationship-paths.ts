/**
 * Where the paths of a find lead: the objects behind each relationship, by the steps to it in lower case; '' is the object
 * itself. A way through anything closed or unknown leads to no object. A polymorphic one leads to several.
 */
export type RelationshipPaths = ReadonlyMap<string, readonly string[]>;

/** `parents` answers the objects behind a relationship of one object; none where it must not be followed. */
export async function resolvePaths(
  object: string,
  paths: readonly string[],
  parents: (object: string, relationship: string) => Promise<readonly string[]>,
): Promise<RelationshipPaths> {
  const resolved = new Map<string, readonly string[]>([['', [object]]]);
  for (const path of paths) {
    const steps = path.toLowerCase().split('.').slice(0, -1);
    for (const [at, step] of steps.entries()) {
      const way = steps.slice(0, at + 1).join('.');
      if (resolved.has(way)) continue;
      const holders = resolved.get(steps.slice(0, at).join('.')) ?? [];
      const found = await Promise.all(holders.map((holder) => parents(holder, step)));
      // One closed object closes the path: which object a record has behind it shows only when it was read.
      resolved.set(way, found.every((targets) => targets.length > 0) ? [...new Set(found.flat())] : []);
    }
  }
  return resolved;
}

/** The objects that the field at the end of a path may belong to, and its name. */
export function fieldAt(
  resolved: RelationshipPaths,
  path: string,
): { readonly objects: readonly string[]; readonly field: string } {
  const dot = path.lastIndexOf('.');
  return {
    objects: resolved.get(path.slice(0, Math.max(0, dot)).toLowerCase()) ?? [],
    field: path.slice(dot + 1),
  };
}
