import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parsePolicyFile } from '../../../src/cli/soql-policy-file.ts';
import { createGuard } from '../../../src/salesforce/soql/guard.ts';

const page = readFileSync(new URL('../../../docs/soql-policy.md', import.meta.url), 'utf8');
const [, policy = ''] = /```json\n([\s\S]*?)```/.exec(page) ?? [];
const rows = [...page.matchAll(/^\| `(SELECT [^`]+)` \| (?:sent as `([^`]+)`|refused: `(\w+)`) \|$/gm)];

it('shows ten queries in its table', () => {
  expect(rows).toHaveLength(10);
});

it.each(rows.map(([, q = '', send, code]) => ({ q, send, code })))(
  'says truly what becomes of $q [Q5] [P5]',
  ({ q, send, code }) => {
    const verdict = createGuard(parsePolicyFile(JSON.parse(policy)))(q);
    expect(verdict).toMatchObject(send === undefined ? { ok: false, code } : { ok: true, send });
  },
);
