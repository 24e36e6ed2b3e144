import { readFileSync } from 'node:fs';
import { parsePolicyFile } from '../../../src/cli/soql-policy-file.ts';
import { createGuard, type SoqlPass, type SoqlRefused, type SoqlVerdict } from '../../../src/salesforce/soql/guard.ts';
import type { SoqlPolicy, SoqlSchema } from '../../../src/salesforce/soql/schema.ts';

export interface FixtureRow {
  readonly q: string;
  readonly source?: string;
  readonly tags?: readonly string[];
  readonly expect?: 'refuse' | 'policy';
  readonly class?: string;
}

export function readRows(file: 'valid' | 'invalid' | 'hostile' | 'benign'): FixtureRow[] {
  const text = readFileSync(new URL(`fixtures/${file}.jsonl`, import.meta.url), 'utf8');
  // The fixtures are ours and every row has the shape of FixtureRow.
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as FixtureRow);
}

export function examplePolicy(): { policy: SoqlPolicy; schema: SoqlSchema } {
  return parsePolicyFile(JSON.parse(readFileSync(new URL('fixtures/policy.json', import.meta.url), 'utf8')));
}

export const underSyntax = createGuard({});
export const underPolicy = createGuard(examplePolicy());

export function pass(verdict: SoqlVerdict): SoqlPass {
  if (!verdict.ok) throw new Error(`refused: ${verdict.code} at ${verdict.position}: ${verdict.rule}`);
  return verdict;
}

export function refusal(verdict: SoqlVerdict): SoqlRefused {
  if (verdict.ok) throw new Error(`passed: ${verdict.send}`);
  return verdict;
}
