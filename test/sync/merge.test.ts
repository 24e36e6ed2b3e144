import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchRecord } from '../../src/sync/merge/match.ts';
import { type FieldCase, mergeField } from '../../src/sync/merge/merge.ts';

const same: FieldCase = {
  direction: 'both',
  tie: 'salesforce',
  local: 'a',
  isSaid: true,
  remote: 'a',
  base: 'a',
  intents: [],
  localAt: 10_000,
  remoteAt: 10_000,
};
const merge = (change: Partial<FieldCase>) => mergeField({ ...same, ...change });

describe('the merge of one field [S2]', () => {
  it('does nothing when nothing changed', () => {
    expect(merge({})).toEqual({ action: 'none', base: 'a', winner: undefined, hasLanded: false });
  });

  it('sends what only the host changed and takes what only Salesforce changed [sync-P3]', () => {
    expect(merge({ local: 'b' }).action).toBe('push');
    expect(merge({ remote: 'c' })).toMatchObject({ action: 'pull', base: 'c' });
  });

  it('lets the later edit win, and the configured side in a draw of whole seconds [sync-P4]', () => {
    expect(merge({ local: 'b', remote: 'c', localAt: 12_000, remoteAt: 11_000 })).toMatchObject({
      action: 'push',
      winner: 'host',
    });
    expect(merge({ local: 'b', remote: 'c', localAt: 11_000, remoteAt: 12_000 })).toMatchObject({
      action: 'pull',
      winner: 'salesforce',
    });
    expect(merge({ local: 'b', remote: 'c', localAt: 12_900, remoteAt: 12_000 })).toMatchObject({
      winner: 'salesforce',
    });
    expect(merge({ local: 'b', remote: 'c', localAt: 12_900, remoteAt: 12_000, tie: 'host' })).toMatchObject({
      winner: 'host',
    });
  });

  it('takes what only Salesforce says, and keeps what the host had: an empty field clears nothing at first [S2]', () => {
    const only = { direction: 'from_crm' as const };
    expect(merge({ ...only, local: 'ours', remote: null, base: undefined })).toMatchObject({
      action: 'none',
      base: null,
    });
    expect(merge({ ...only, local: 'ours', remote: 'theirs', base: undefined })).toMatchObject({
      action: 'pull',
      winner: 'salesforce',
    });
    expect(merge({ ...only, local: 'ours', remote: null, base: 'was' })).toMatchObject({
      action: 'pull',
      winner: 'salesforce',
    });
    expect(merge({ ...only, local: 'was', remote: null, base: 'was' })).toMatchObject({
      action: 'pull',
      winner: undefined,
    });
    expect(merge({ ...only, local: undefined, remote: 'theirs', base: undefined })).toMatchObject({
      winner: undefined,
    });
  });

  it('knows its own push again and does not lose to it [sync-P7]', () => {
    expect(merge({ local: 'newer', remote: 'sent', intents: ['older', 'sent'], remoteAt: 99_000 })).toMatchObject({
      action: 'push',
      base: 'sent',
      winner: undefined,
      hasLanded: true,
    });
  });

  it('knows an orphaned push although a later one was sent too: every value is kept until acknowledged [sync-P7]', () => {
    expect(merge({ local: 'third', remote: 'first', intents: ['first', 'second'], remoteAt: 99_000 }).action).toBe(
      'push',
    );
  });

  it('clears on one side what was cleared on the other [sync-P24]', () => {
    expect(merge({ local: null, isSaid: false }).action).toBe('push');
    expect(merge({ remote: null })).toMatchObject({ action: 'pull', base: null });
  });

  it('never writes a from-CRM field and never takes a to-CRM field [sync-P24]', () => {
    fc.assert(
      fc.property(anyCase(), (field) => {
        if (field.direction === 'from_crm') expect(mergeField(field).action).not.toBe('push');
        if (field.direction === 'to_crm') expect(mergeField(field).action).not.toBe('pull');
      }),
    );
  });

  it('does not let a default overwrite what the record holds', () => {
    expect(merge({ base: undefined, isSaid: false, local: 'default', remote: 'theirs' }).action).toBe('pull');
    expect(merge({ base: undefined, isSaid: false, local: 'default', remote: null }).action).toBe('push');
  });

  it('comes to rest: after its verdict is carried out there is nothing left to do [sync-P6]', () => {
    fc.assert(
      fc.property(anyCase(), (field) => {
        const verdict = mergeField(field);
        const after: FieldCase = {
          ...field,
          intents: [],
          base: verdict.action === 'push' ? field.local : verdict.base,
          local: verdict.action === 'pull' ? field.remote : field.local,
          remote: verdict.action === 'push' ? field.local : field.remote,
          isSaid: verdict.action === 'pull' || field.isSaid,
        };
        expect(mergeField(after).action).toBe('none');
      }),
      { numRuns: 2000 },
    );
  });
});

function anyCase(): fc.Arbitrary<FieldCase> {
  const value = fc.constantFrom('a', 'b', 'c', null);
  const maybe = fc.constantFrom('a', 'b', 'c', null, undefined);
  return fc.record({
    direction: fc.constantFrom('both' as const, 'to_crm' as const, 'from_crm' as const),
    tie: fc.constantFrom('salesforce' as const, 'host' as const),
    local: maybe,
    isSaid: fc.boolean(),
    remote: maybe,
    base: maybe,
    intents: fc.array(value, { maxLength: 2 }),
    localAt: fc.nat(30_000),
    remoteAt: fc.nat(30_000),
  });
}

describe('matching', () => {
  const record = (id: string, more = {}) => ({ id, name: id, isOurs: false, linkedTo: undefined, ...more });

  it('links one look-alike, creates when there is none, asks when there are several [S1]', () => {
    expect(matchRecord([])).toEqual({ kind: 'none' });
    expect(matchRecord([record('A')])).toEqual({ kind: 'one', id: 'A' });
    expect(matchRecord([record('A'), record('B')])).toMatchObject({
      kind: 'many',
      candidates: [{ id: 'A' }, { id: 'B' }],
    });
  });

  it('takes our own mark before any look-alike', () => {
    expect(matchRecord([record('A'), record('B', { isOurs: true })])).toEqual({ kind: 'one', id: 'B' });
  });

  it('never gives one record to two host records [sync-P2]', () => {
    expect(matchRecord([record('A', { linkedTo: 'p1' })])).toMatchObject({
      kind: 'taken',
      candidate: { id: 'A' },
      by: 'p1',
    });
    expect(matchRecord([record('A', { linkedTo: 'p1' }), record('B')])).toMatchObject({
      kind: 'many',
      candidates: [{ id: 'B' }],
    });
  });
});
