import type { LiveOrg } from './org.ts';

/** One thing that we believe of Salesforce and have not seen. */
export interface Fact {
  readonly id: string;
  /** What we build on. */
  readonly assumed: string;
  /** Where it is marked so. */
  readonly source: string;
  /** Files of ours that would be wrong with it. */
  readonly reliesOn: readonly string[];
  /** How it is asked; or why it cannot be, from here. */
  readonly how: string;
  readonly ask?: (org: LiveOrg) => Promise<Verdict>;
}

export type Verdict =
  | { readonly is: 'as assumed' | 'otherwise'; readonly told: string }
  | { readonly is: 'not asked'; readonly told: string };

/** `told` is what was seen, in a few words: never a body whole. */
export const judged = (isSo: boolean, told: string): Verdict => ({ is: isSo ? 'as assumed' : 'otherwise', told });
export const notAsked = (why: string): Verdict => ({ is: 'not asked', told: why });

/** What an answer says it is. */
export const codeOf = ({ status, json }: { readonly status: number; readonly json: unknown }): string => {
  const first = Array.isArray(json) ? json[0] : json;
  const { errorCode, error } = (first ?? {}) as { errorCode?: string; error?: string };
  return `${status} ${errorCode ?? error ?? ''}`.trim();
};
