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

type Async = (...args: never[]) => Promise<unknown>;

/** An object of async methods whose real one is opened by the first call of any of them; `own` is there before that. */
export function deferred<T extends { readonly [K in Exclude<keyof T, Own>]: Async }, Own extends keyof T = never>(
  open: () => Promise<Omit<T, Own>>,
  ...[own]: [Own] extends [never] ? [] : [Pick<T, Own>]
): T {
  return new Proxy<object>(
    { ...own },
    {
      has: () => true,
      get(known, name) {
        // A promise asks whatever it is given for `then`.
        if (name in known || typeof name === 'symbol' || name === 'then') return Reflect.get(known, name);
        return async (...args: never[]) => {
          const real = (await open()) as Readonly<Record<string, Async>>;
          return real[name]!(...args);
        };
      },
    },
  ) as T;
}
