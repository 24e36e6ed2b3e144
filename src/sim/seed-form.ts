import type { Setup } from './schema/setup.ts';

/** Records by object; `ref` names a record so that others can point to it with `@ref`, `day` shifts dates from today. */
export interface SimSeed {
  readonly records: Readonly<Record<string, readonly SeedRecord[]>>;
  /** What the administrator of this org set up; a reset to other records leaves it as it is. */
  readonly setup?: Partial<Setup>;
}

export type SeedRecord = Readonly<Record<string, string | number | boolean | null>>;
