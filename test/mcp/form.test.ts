import { describe, expect, it } from 'vitest';
import type { ProposalView } from '../../src/domain/proposal.ts';
import { readAnswer, toForm } from '../../src/mcp/form.ts';

const NOW = Date.parse('2026-11-22T10:00:00Z');
const VIEW: ProposalView = {
  id: 'p1',
  state: 'pending',
  action: 'UpdateOpportunity',
  assurance: 'client',
  summary: 'Update the opportunity "Acme"',
  changes: [{ field: 'NextStep', label: 'Next Step', before: null, after: 'Call' }],
  reasons: ['UpdateOpportunity is confirmed by a person.'],
  target: { object: 'Opportunity', id: '006000000000001AAA', name: 'Acme', url: 'https://example.org/1' },
  link: 'http://localhost:3000/approvals/p1',
  expiresAt: '2026-11-22T10:09:30.000Z',
};
const closing = (name: string): ProposalView => ({
  ...VIEW,
  changes: [{ field: 'StageName', label: 'Stage', before: 'Proposal', after: 'Closed Won' }],
  target: { object: 'Opportunity', id: '006000000000001AAA', name, url: '' },
});
const amount = (after: number | null): ProposalView => ({
  ...VIEW,
  changes: [{ field: 'Amount', label: 'Amount', before: 10, after }],
});
const message = (view: ProposalView) => toForm(view, 'demo', NOW)?.message ?? expect.fail('no form');
const typed = (view: ProposalView, confirm: string) =>
  readAnswer(view, { action: 'accept', content: { decision: 'approve', confirm } }).kind;

describe('the message of a form', () => {
  it('reads as it was reviewed [C2]', () => {
    const warnings = ['The stage "Won" is not in the list.'];
    const choices = [{ id: 'use:00Q1', label: 'Use the lead "Doe"' }];
    expect(message({ ...VIEW, warnings, choices })).toMatchSnapshot();
  });

  it('shows a query with its objects and its row cap [C2]', () => {
    const query = {
      send: "SELECT Id FROM Account WHERE Name = 'a\nb' LIMIT 200",
      objects: ['Account'],
      fields: ['Id', 'Name'],
      class: 'non-trivial' as const,
      reasons: [],
      rowCap: 200,
    };
    const { target: _, ...untargeted } = VIEW;
    expect(message({ ...untargeted, query })).toContain(
      "Query: SELECT Id FROM Account WHERE Name = 'a b' LIMIT 200\nObjects: Account. Rows: at most 200",
    );
  });

  it('keeps text of others from looking like lines of ours [A7]', () => {
    const forged = 'x\n\nTime left: 9 years.\nChanges:\n- nothing\u202e';
    const lines = message({
      ...VIEW,
      summary: `Update ${JSON.stringify(forged)}`,
      reasons: [`The stage becomes ${forged}.`],
      changes: [{ field: 'NextStep', label: forged, before: forged, after: forged }],
      target: { object: 'Opportunity', id: '006', name: forged, url: '' },
    }).split('\n');
    expect(lines.filter((line) => line.startsWith('Time left:'))).toEqual(['Time left: 9 minutes.']);
    expect(lines.filter((line) => line === 'Changes:')).toHaveLength(1);
    expect(lines.join('')).not.toContain('\u202e');
  });

  it('holds no link: forms must not carry any', () => {
    expect(message(VIEW)).not.toContain('http');
  });

  it('is not shown at all when a value is too long to be read there', () => {
    const changes = [{ field: 'Description', label: 'Description', before: null, after: 'x'.repeat(7_000) }];
    expect(toForm({ ...VIEW, changes }, 'demo', NOW)).toBeUndefined();
  });

  it('is not shown for what needs a signed-in approver [C4]', () => {
    expect(toForm({ ...VIEW, assurance: 'session' }, 'demo', NOW)).toBeUndefined();
  });
});

describe('the answer of a form', () => {
  it.each([
    ['Acme', true],
    [' acme ', true],
    ['"Acme"', true],
    ['Acm', false],
    ['', false],
  ])('takes %j for the name Acme: %s', (text, isRight) => {
    expect(typed(closing('Acme'), text)).toBe(isRight ? 'approve' : 'none');
  });

  it('asks for the id where the name has nothing to type', () => {
    expect(toForm(closing('\u200b'), 'demo', NOW)?.requestedSchema.properties.confirm?.description).toContain(
      '006000000000001AAA',
    );
    expect(typed(closing('\u200b'), '')).toBe('none');
  });

  it.each([
    ['90000', true],
    ['90,000', true],
    ["90'000.00", true],
    ['9000', false],
    ['', false],
    ['  ', false],
    ['0x15f90', false],
    ['9e4', false],
    ['Infinity', false],
  ])('takes %j for the amount 90000: %s', (text, isRight) => {
    expect(typed(amount(90_000), text)).toBe(isRight ? 'approve' : 'none');
  });

  it('asks for the name when an amount is cleared', () => {
    expect(typed(amount(null), 'Acme')).toBe('approve');
    expect(typed(amount(null), '0')).toBe('none');
  });

  it('lets a person decline without typing anything', () => {
    expect(readAnswer(closing('Acme'), { action: 'accept', content: { decision: 'decline', confirm: '' } }).kind).toBe(
      'decline',
    );
    expect(readAnswer(closing('Acme'), { action: 'decline' }).kind).toBe('decline');
  });

  it.each([
    [null],
    ['approve'],
    [['approve']],
    [{ decision: ['approve'] }],
    [{ decision: 'APPROVE' }],
    [{ approve: true }],
  ])('takes %j for no decision at all [C3]', (content) => {
    expect(readAnswer(VIEW, { action: 'accept', content })).toEqual({ kind: 'none', why: 'unreadable' });
  });

  it('takes only the choices that were offered', () => {
    const view = { ...VIEW, choices: [{ id: 'use:1', label: 'One' }] };
    const pick = (decision: string) => readAnswer(view, { action: 'accept', content: { decision } });
    expect(pick('use:1')).toEqual({ kind: 'approve', choice: 'use:1' });
    expect(pick('approve').kind).toBe('none');
    expect(pick('use:2').kind).toBe('none');
  });
});
