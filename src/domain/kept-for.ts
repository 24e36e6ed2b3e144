/** What is derived from a value that never changes is derived once, for as long as the value is there: a policy comes with every call. */
export function keptFor<K extends object, V>(derive: (key: K) => V): (key: K) => V {
  const kept = new WeakMap<K, { readonly value: V }>();
  return (key) => {
    const known = kept.get(key) ?? { value: derive(key) };
    kept.set(key, known);
    return known.value;
  };
}
