import {
  type GetPromptResult,
  ProtocolError,
  ProtocolErrorCode,
  type Prompt as WirePrompt,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Prompt } from '../domain/prompt.ts';
import type { Gate } from '../ports/gate.ts';

/** prompts/list and prompts/get: only what speaks of actions that the bot may call. */

export async function listPrompts(prompts: readonly Prompt[], gate: Gate, bot: string): Promise<WirePrompt[]> {
  return (await offered(prompts, gate, bot)).map(({ name, title, description, arguments: args }) => ({
    name,
    title,
    description,
    arguments: Object.entries(args.shape).map(([key, field]) => {
      const { description: about } = z.globalRegistry.get(field) ?? {};
      return {
        name: key,
        description: about,
        required: !z.safeParse(field, undefined).success,
      };
    }),
  }));
}

export async function getPrompt(
  prompts: readonly Prompt[],
  gate: Gate,
  bot: string,
  { name, arguments: given = {} }: { name: string; arguments?: Readonly<Record<string, string>> | undefined },
): Promise<GetPromptResult> {
  const prompt = (await offered(prompts, gate, bot)).find((one) => one.name === name);
  if (prompt === undefined)
    throw new ProtocolError(
      ProtocolErrorCode.InvalidParams,
      'This bot has no such prompt. prompts/list names those it has.',
    );
  const args = prompt.arguments.safeParse(given);
  if (!args.success)
    throw new ProtocolError(
      ProtocolErrorCode.InvalidParams,
      `The arguments of ${prompt.name} do not fit. ${args.error.issues.map(toSentence).join(' ')}`,
    );
  return {
    description: prompt.description,
    messages: [{ role: 'user', content: { type: 'text', text: prompt.render(args.data) } }],
  };
}

async function offered(prompts: readonly Prompt[], gate: Gate, bot: string): Promise<readonly Prompt[]> {
  const names = new Set((await gate.actions(bot)).map(({ name }) => name));
  return prompts.filter(({ isListed, needs }) => isListed !== false && needs.every((name) => names.has(name)));
}

function toSentence(issue: z.core.$ZodIssue): string {
  const at = issue.code === 'unrecognized_keys' ? issue.keys.join(', ').slice(0, 200) : issue.path.join('.');
  return `${at}: ${issue.code === 'unrecognized_keys' ? 'unknown argument' : issue.message}.`;
}
