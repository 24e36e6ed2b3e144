import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { GatehouseError } from '../../src/domain/errors.ts';
import { inWords, parseInTurns, parseOrThrow } from '../../src/domain/validation.ts';

const problem = (schema: z.ZodType, value: unknown) =>
  schema.safeParse(value, { error: inWords }).error?.issues.map(({ message }) => message);

describe('what is wrong with a value', () => {
  it.each([
    [z.string(), undefined, 'is missing'],
    [z.string(), 7, 'must be a text'],
    [z.strictObject({}), 'x', 'must be an object'],
    [z.array(z.string()), {}, 'must be a list'],
    [z.int(), 1.5, 'must be a whole number'],
    [z.coerce.number(), 'abc', 'must be a number'],
    [z.string().min(1), '', 'must not be empty'],
    [z.string().min(3), 'a', 'needs at least 3 characters'],
    [z.string().max(3), 'abcd', 'takes at most 3 characters'],
    [z.array(z.string()).max(1), ['a', 'b'], 'takes at most 1 entry'],
    [z.number().min(100), 99, 'must be 100 or more'],
    [z.number().positive(), 0, 'must be more than 0'],
    [z.number().max(65_535), 70_000, 'must be 65535 or less'],
    [z.enum(['a', 'b']), 'c', 'must be one of a, b'],
    [z.iso.date(), '31.1.2026', 'must be a date like 2026-01-31'],
    [z.email(), 'nobody', 'must be an email address'],
    [z.url(), 'nowhere', 'must be a web address'],
    [z.string().regex(/^a$/), 'b', 'is not in the form that is wanted'],
    [z.string().regex(/^a$/, 'must be a'), 'b', 'must be a'],
    [z.string().refine(() => false, 'is no bot'), 'b', 'is no bot'],
  ])('is a sentence (%#)', (schema, value, words) => {
    expect(problem(schema, value)).toEqual([words]);
  });
});

describe('parseOrThrow', () => {
  const name = { what: 'The request', whole: '(body)' };

  it('answers the value as the schema has it', () => {
    expect(parseOrThrow(z.object({ size: z.coerce.number() }), { size: '3' }, name)).toEqual({ size: 3 });
  });

  it('names every wrong place at once, and the whole where it has none of its own', () => {
    const refusal = (schema: z.ZodType, value: unknown) => {
      try {
        parseOrThrow(schema, value, name);
      } catch (error) {
        if (error instanceof GatehouseError) return error;
      }
      throw new Error('it was not refused');
    };
    expect(refusal(z.strictObject({ size: z.number(), a: z.strictObject({}) }), { a: { b: 1 } })).toMatchObject({
      code: 'invalid_input',
      message: 'The request is not usable: size, a.b.',
      next: 'Correct and send it again: size: is missing; a.b: is not known here.',
      fields: [
        { name: 'size', problem: 'is missing' },
        { name: 'a.b', problem: 'is not known here' },
      ],
    });
    expect(refusal(z.object({}), 7).fields).toEqual([{ name: '(body)', problem: 'must be an object' }]);
  });
});

describe('parseInTurns', () => {
  const name = { what: 'The request', whole: '(body)' };
  const entry = z.strictObject({ a: z.number().default(7), b: z.string().max(2).optional() });
  const schema = z.strictObject({ list: z.array(entry).min(1).max(30), more: z.number().optional() });
  const many = (wrong: number) => Array.from({ length: 30 }, (_, n) => (n < wrong ? { a: 'x', c: 1 } : { b: 'y' }));

  it.each<[string, unknown]>([
    ['what is right', { list: many(0), more: 1 }],
    ['a wrong entry', { list: many(1) }],
    ['wrong entries beyond those that are named', { list: many(30) }],
    ['an entry that is none', { list: [{}, 'x', null] }],
    ['too few', { list: [] }],
    ['too many', { list: [...many(0), {}] }],
    ['no list', { list: 5 }],
    ['nothing', {}],
    ['no object', []],
    ['a wrong key beside a wrong entry', { list: [{ a: 'x' }], else: 1 }],
  ])('says of %s what the whole schema says, in what order ever [K4]', async (_, value) => {
    const whole = await Promise.resolve()
      .then(() => parseOrThrow(schema, value, name))
      .catch((error: GatehouseError) => new Set(error.fields?.map(({ name: at, problem }) => `${at}: ${problem}`)));
    const inTurns = await parseInTurns(schema, value, name).catch(
      (error: GatehouseError) => new Set(error.fields?.map(({ name: at, problem }) => `${at}: ${problem}`)),
    );
    expect(inTurns).toEqual(whole);
  });
});
