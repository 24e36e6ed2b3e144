import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { GatehouseError } from '../../src/domain/errors.ts';
import { readArgs } from '../../src/gate/parse-args.ts';
import { createWorld } from '../support/world.ts';

/** What genuine clients do to the arguments of a call, before they are judged. */

const schema = z.strictObject({
  name: z.string().min(1),
  note: z.string().optional(),
  cleared: z.string().nullable().optional(),
  amount: z.number().optional(),
  include: z
    .array(z.enum(['contacts', 'cases']))
    .max(3)
    .optional(),
  tags: z.array(z.string().min(1)).default([]),
});

function refusal(raw: unknown, ignoreKeys: readonly string[] = []): GatehouseError {
  try {
    readArgs('Look', schema, raw, ignoreKeys);
  } catch (error) {
    return error as GatehouseError; // nothing else is thrown there
  }
  return expect.fail('these arguments are refused');
}
const problems = (raw: unknown) =>
  Object.fromEntries((refusal(raw).fields ?? []).map(({ name, problem }) => [name, problem]));

describe('the arguments of a call', () => {
  it('take null as "not given", unless the input knows null itself [M5]', () => {
    expect(readArgs('Look', schema, { name: 'a', note: null, cleared: null, include: null, tags: null })).toEqual({
      name: 'a',
      cleared: null,
      tags: [],
    });
    expect(problems({ name: null, amount: null })).toEqual({ name: 'is missing' });
  });

  it('take a single text for a list of one, and nothing else for a list [M8]', () => {
    expect(readArgs('Look', schema, { name: 'a', include: 'contacts', tags: 'x' })).toEqual({
      name: 'a',
      include: ['contacts'],
      tags: ['x'],
    });
    expect(problems({ name: 'a', include: 7, tags: {} })).toEqual({
      include: 'must be a list, e.g. ["contacts"]',
      tags: 'must be a list, e.g. ["text"]',
    });
  });

  it('have one problem a field, all fields at once, in the words of the type [M8]', () => {
    const wrong = { name: '', include: ['a', 'b', 'c', 'd'], amount: '90000', tags: ['\u202ex', ''], note: 'x\u200b' };
    expect(problems(wrong)).toEqual({
      name: 'must not be empty',
      include: 'takes at most 3 entries',
      amount: 'must be a number',
      tags: expect.stringContaining('invisible character'),
      note: expect.stringContaining('invisible character'),
    });
    expect(problems({ name: 'a', include: 'nothing' })).toEqual({ 'include.0': 'must be one of contacts, cases' });
  });

  it('are strict: what a client adds is named, with what a person can do about it, or ignored by name [M7]', () => {
    const sent = { name: 'a', sessionId: 'n8n', chatInput: 'hello' };
    const { next, message, fields } = refusal(sent);
    expect(message).toContain('sessionId, chatInput');
    expect(fields?.map(({ name }) => name)).toEqual(['sessionId', 'chatInput']);
    expect(next).toMatch(/client adds them by itself.*ignoreKeys/);
    expect(refusal(sent, ['sessionId']).fields?.map(({ name }) => name)).toEqual(['chatInput']);
    expect(readArgs('Look', schema, sent, ['sessionId', 'chatInput', 'name'])).toEqual({ name: 'a', tags: [] });
    expect(refusal({ name: 7, sessionId: 1 }, ['name', 'sessionId']).fields).toHaveLength(1);
    expect(refusal(JSON.parse('{"name":"a","__proto__":{"x":1},"constructor":1}')).fields).toHaveLength(2);
  });

  it('are read the same at every door of the gate, GetProposal included [M5] [M7] [M8]', async () => {
    await using world = await createWorld();
    const looked = { name: 'Acme Industries', id: null, key: null, include: 'contacts' };
    const found = await world.call('GetAccount', looked);
    expect(found).toMatchObject({ status: 'done', result: { contacts: expect.any(Array) } });
    const moved = { reference: 'OPP-123', nextStep: 'Call back', amount: null, closeDate: null };
    const waiting = await world.call('UpdateOpportunity', moved);
    expect(waiting.proposal?.changes).toMatchObject([{ field: 'NextStep' }]);
    // The same call without the nulls is the same proposal.
    const same = await world.call('UpdateOpportunity', { reference: 'OPP-123', nextStep: 'Call back' });
    expect(same.proposal?.id).toBe(waiting.proposal?.id);

    const extra = { id: waiting.proposal?.id, waitSeconds: null, toolCallId: 'x' };
    expect((await world.refusal('GetProposal', extra)).next).toContain('ignoreKeys');
    expect((await world.refusal('GetAccount', { ...looked, toolCallId: 'x' })).next).toContain('toolCallId');
    await world.setPolicy((policy) => ({ ...policy, ignoreKeys: ['toolCallId'] }));
    expect((await world.call('GetProposal', extra)).status).toBe('waiting');
    expect((await world.call('GetAccount', { ...looked, toolCallId: 'x' })).status).toBe('done');
  });
});
