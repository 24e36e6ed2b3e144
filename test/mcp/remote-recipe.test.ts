import { readFile } from 'node:fs/promises';
import type { Responses } from 'openai/resources/responses/responses';
import { describe, expect, it } from 'vitest';
import { openDoor } from './door.ts';

type McpTool = Responses.Tool.Mcp;
type ToolFilter = Responses.Tool.Mcp.McpToolFilter;

/** The recipe as people copy it out of the guide. */
async function recipe(): Promise<McpTool> {
  const guide = await readFile(new URL('../../docs/chat.md', import.meta.url), 'utf8');
  const [, text = ''] = /```json\n(\{\n {2}"type": "mcp",[\s\S]*?)```/.exec(guide) ?? [];
  return JSON.parse(text);
}

/** What the Responses API documents of its filters: `read_only` matches tools annotated with readOnlyHint. */
function matches(filter: ToolFilter | undefined, tool: Record<string, unknown>): boolean {
  const { readOnlyHint } = tool.annotations as { readOnlyHint?: boolean };
  return filter?.read_only !== undefined && (readOnlyHint ?? false) === filter.read_only;
}

describe("OpenAI's remote MCP tool", () => {
  it('finds with read_only exactly the actions that only read [A1]', async () => {
    await using door = await openDoor();
    const tools = await (await door.connect('classic')).tools();
    const names = (filter: ToolFilter) => tools.filter((tool) => matches(filter, tool)).map(({ name }) => String(name));

    const reads = door.world.app.actions.filter(({ risk }) => risk === 'read').map(({ name }) => name);
    const writes = door.world.app.actions.filter(({ risk }) => risk !== 'read').map(({ name }) => name);
    expect(names({ read_only: true }).sort()).toEqual([...reads, 'GetProposal'].sort());
    expect(names({ read_only: false }).sort()).toEqual([...writes].sort());

    const { require_approval } = await recipe();
    const never = typeof require_approval === 'object' ? require_approval?.never : undefined;
    const unasked = tools.filter((tool) => matches(never, tool)).map(({ name }) => name);
    expect(unasked.sort()).toEqual([...reads, 'GetProposal'].sort());
  });

  it('sends the key where the recipe puts it, as a bearer [P4] [X2]', async () => {
    await using door = await openDoor();
    const { authorization, server_url } = await recipe();
    expect([authorization, new URL(server_url ?? '').pathname]).toEqual(['gha_...', new URL(door.url).pathname]);
    expect(door.key).toMatch(/^gha_/);
  });

  it('confirms on our side although require_approval is never on the caller’s [C3] [C4]', async () => {
    await using door = await openDoor();
    const before = await door.world.records('Opportunity');
    // The API calls the tool at once, and has no form to show: a client without elicitation.
    const model = await door.connect('classic');

    const { structuredContent } = await model.call('UpdateOpportunity', {
      reference: 'OPP-456',
      stageName: 'Closed Won',
    });

    expect(structuredContent).toMatchObject({ status: 'waiting', proposal: { state: 'pending' } });
    expect(await door.world.records('Opportunity')).toEqual(before);
    const again = await model.call('GetProposal', { id: structuredContent.proposal.id });
    expect(again.structuredContent.status).toBe('waiting');
    const [proposal] = await door.world.app.approvals.list({ bot: door.world.bot });
    expect(proposal).toMatchObject({ state: 'pending', decidedBy: null });
  });

  it('refuses what was not granted, whatever the caller’s list allows [P2]', async () => {
    await using door = await openDoor({ grants: ['READ_ACCOUNT'] });
    const model = await door.connect('classic');
    const { isError, content } = await model.call('UpdateOpportunity', {
      reference: 'OPP-456',
      stageName: 'Closed Won',
    });
    expect([isError, JSON.parse(content[0].text).error.code]).toEqual([true, 'permission_denied']);
  });
});
