import { encode } from 'gpt-tokenizer/encoding/o200k_base';
import { describe, expect, it } from 'vitest';
import { toolSchema } from '../../src/domain/tool-schema.ts';
import { createWorld } from '../support/world.ts';
import { openDoor } from './door.ts';

describe('tools/list', () => {
  it('tells clients of both eras what the bot was granted, in the same order and words each time [A1]', async () => {
    await using door = await openDoor();
    const client = await door.connect('classic');

    const tools = await client.tools();

    // Read this snapshot like code: it is what every model reads.
    expect(tools).toMatchSnapshot('tools');
    expect(JSON.stringify(await client.tools())).toBe(JSON.stringify(tools));
    expect(await (await door.connect('modern')).tools()).toEqual(tools);
  });

  it('stays within 10 kB and 2,500 tokens, no tool over 450 [F1]', async () => {
    await using door = await openDoor();
    const tools = await (await door.connect('classic')).tools();

    const list = JSON.stringify({ tools });
    expect(Buffer.byteLength(list)).toBeLessThanOrEqual(10_000);
    expect(encode(list).length).toBeLessThanOrEqual(2_500);
    for (const tool of tools) expect(encode(JSON.stringify(tool)).length, String(tool.name)).toBeLessThanOrEqual(450);
  });

  it('always sets all four hints, and derives them from the risk [A1]', async () => {
    await using door = await openDoor();
    const tools = await (await door.connect('modern')).tools();
    const hints = Object.fromEntries(tools.map(({ name, annotations }) => [name, annotations]));

    const read = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true };
    expect(hints).toMatchObject({
      GetAccount: read,
      RunSOQL: read,
      GetProposal: read,
      CreateLead: { readOnlyHint: false, destructiveHint: false, openWorldHint: true },
      UpdateOpportunity: { readOnlyHint: false, destructiveHint: true, openWorldHint: true },
    });
    for (const { name, annotations } of tools)
      expect(
        Object.values(annotations as object).map((hint) => typeof hint),
        String(name),
      ).toEqual(Array(4).fill('boolean'));
  });

  it('takes strict flat inputs of standard JSON Schema, every field described [A1]', async () => {
    await using door = await openDoor();
    for (const { name, inputSchema } of await (await door.connect('classic')).tools()) {
      const schema = inputSchema as {
        additionalProperties?: boolean;
        properties: Record<string, Record<string, unknown>>;
      };
      expect(schema.additionalProperties, String(name)).toBe(false);
      for (const [field, about] of Object.entries(schema.properties)) {
        expect(about.description, `${name}.${field}`).toBeTruthy();
        expect(['string', 'number', 'integer', 'boolean', 'array'], `${name}.${field}`).toContain(about.type);
      }
    }
  });

  it('lists nothing that was not granted [P2]', async () => {
    await using door = await openDoor({ grants: ['READ_ACCOUNT'] });
    const names = (await (await door.connect('classic')).tools()).map(({ name }) => name);
    expect(names).toEqual(['GetAccount']);
  });

  it('follows a grant that is taken back while the client stays connected [P2]', async () => {
    await using door = await openDoor();
    const client = await door.connect('classic');
    await door.world.setPolicy((policy) => ({ ...policy, off: ['CreateLead'] }));

    const names = (await client.tools()).map(({ name }) => name);

    expect(names).not.toContain('CreateLead');
    const { isError, content } = await client.call('CreateLead', { lastName: 'Doe', company: 'Doe' });
    expect([isError, JSON.parse(content[0].text).error.code]).toEqual([true, 'off']);
  });
});

it('derives what has not changed once: every client is looked after every two seconds [F2]', async () => {
  await using world = await createWorld();
  const schemas = async () =>
    (await world.app.gate.actions(world.bot)).flatMap(({ input, output }) => [
      toolSchema(input, 'input'),
      toolSchema(output, 'output'),
    ]);
  const [first, again] = [await schemas(), await schemas()];
  expect(first.length).toBeGreaterThan(10);
  for (const [at, schema] of again.entries()) expect(schema).toBe(first[at]);
});

it('says in its instructions what spans the tools, and that the org is simulated [X5]', async () => {
  await using door = await openDoor();
  const text = (await door.connect('classic')).instructions() ?? '';
  expect(text).toMatchSnapshot();
  expect(encode(text).length).toBeLessThan(250);
});
