import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { kebab, loadActions } from '../../src/runtime/load.ts';

/** What holds for every action, so that a new file is covered on arrival. */
const actions = await loadActions(new URL('../../actions/', import.meta.url));

describe.each(actions.map((action) => [action.name, action] as const))('%s', (name, action) => {
  it('has a flat strict input of few described fields, without unions and nulls [A1]', () => {
    const schema = z.toJSONSchema(action.input, { io: 'input' }) as {
      properties: Record<string, { type?: string; description?: string; anyOf?: unknown }>;
      additionalProperties: boolean;
    };
    expect(schema.additionalProperties).toBe(false);
    expect(Object.keys(schema.properties).length).toBeLessThanOrEqual(12);
    for (const [key, field] of Object.entries(schema.properties)) {
      expect(key).toMatch(/^[a-z][A-Za-z0-9]*$/);
      expect(field.description, key).toBeTruthy();
      expect(field.anyOf, key).toBeUndefined();
      expect(['string', 'number', 'integer', 'boolean', 'array'], key).toContain(field.type);
    }
  });

  it('says what it does, when to use it and when not, without shouting', () => {
    expect(action.description).toMatch(/\bUse (when|for)\b/);
    expect(action.description).toMatch(/\bNot (for|when)\b/);
    expect(action.description).not.toMatch(/IMPORTANT|MUST|ALWAYS|NEVER/);
    expect(action.description.length).toBeLessThan(400);
  });

  it('takes nothing that only we may know or decide [C3]', () => {
    for (const key of Object.keys(action.input.shape))
      expect(key).not.toMatch(/^(bot|org|user|token|confirm|approve|approved|permission|password)/i);
  });

  it('shows before it writes [C2]', () => {
    if (action.risk !== 'read') expect(action.preview).toBeTypeOf('function');
  });

  it('imports nothing but the action, the errors and zod', async () => {
    const text = await readFile(new URL(`../../actions/${kebab(name)}.ts`, import.meta.url), 'utf8');
    const imported = [...text.matchAll(/from '([^']+)'/g)].map(([, from]) => from);
    for (const from of imported) expect(['zod', '../src/domain/action.ts', '../src/domain/errors.ts']).toContain(from);
  });

  it('keeps the words that models read', () => {
    expect({
      description: action.description,
      permission: action.permission,
      risk: action.risk,
      input: z.toJSONSchema(action.input, { io: 'input' }),
    }).toMatchSnapshot();
  });
});
