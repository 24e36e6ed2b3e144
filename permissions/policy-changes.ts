/** One place of a policy that is not as it was: `actions.RunSOQL.decision`. What is absent was added or taken away. */
export interface PolicyChange {
  readonly name: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** What differs between two policies, place by place; a list counts as one value. */
export function policyChanges(before: unknown, after: unknown, at = ''): PolicyChange[] {
  if (isTree(before) && isTree(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => policyChanges(own(before, key), own(after, key), at === '' ? key : `${at}.${key}`));
  }
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  return [{ name: at, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }];
}

const isTree = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const own = (tree: Readonly<Record<string, unknown>>, key: string) =>
  Object.hasOwn(tree, key) ? tree[key] : undefined;
