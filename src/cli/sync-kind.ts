import { UsageError } from './command.ts';

/** What can be synced, as the command line says it. */
export const KINDS = ['party', 'case'] as const;
export type Kind = (typeof KINDS)[number];

export function toKind(word: string): Kind {
  const kind = KINDS.find((one) => one === word);
  if (kind !== undefined) return kind;
  throw new UsageError(
    `${JSON.stringify(word.slice(0, 80))} is neither a party nor a case.`,
    'Use one of: party, case.',
  );
}
