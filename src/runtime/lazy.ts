/** What a listing does not need is made, and its code loaded, by the first use (F1). */
export interface Lazy<T> {
  readonly get: () => Promise<T>;
  readonly isMade: () => boolean;
}

export function lazily<T>(make: () => Promise<T>): Lazy<T> {
  let made: Promise<T> | undefined;
  return {
    get: () => {
      made ??= make().catch((error: unknown) => {
        // A failure is not kept: the next use tries again.
        made = undefined;
        throw error;
      });
      return made;
    },
    isMade: () => made !== undefined,
  };
}

/** An object of async methods whose real one is opened by the first call of any of them. */
export function deferred<T extends object>(
  open: () => Promise<T>,
  methods: { readonly [K in keyof T]: T[K] extends (...args: never[]) => Promise<unknown> ? true : never },
): T {
  const names = Object.keys(methods) as (keyof T)[]; // the mapped type names exactly the methods of T
  const forward =
    (name: keyof T) =>
    async (...args: unknown[]) => {
      const real = await open();
      return (real[name] as (...args: unknown[]) => Promise<unknown>).apply(real, args);
    };
  return Object.fromEntries(names.map((name) => [name, forward(name)])) as T;
}
