import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { inWords } from '../../src/domain/validation.ts';

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
