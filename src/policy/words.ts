import { policyFor } from '../../permissions/decide.ts';
import type { Policy } from '../../permissions/policy.ts';
import type { Action } from '../domain/action.ts';
import type { FieldProblem } from '../domain/errors.ts';
import { hiddenCharacter } from '../domain/safe-text.ts';
import { toolSchema } from '../domain/tool-schema.ts';

/** A bot's own words: what its operator adds to ours, for people and the model. No rule looks at them. */

type ToolWords = Pick<Action, 'name' | 'title' | 'description' | 'input' | 'output'>;

/** The tool as a model reads it: our description first. */
export function wordsOf({ name, title, description, input, output }: ToolWords, policy: Policy): ToolWords {
  const { whenToUse } = policyFor(policy, name);
  return {
    name,
    title,
    input,
    output,
    description: whenToUse === undefined ? description : `${description} ${whenToUse}`,
  };
}

/** A person who approves a policy must see all that a model reads. */
export function wordProblems({ words, actions }: Policy): FieldProblem[] {
  const { name, greeting, instructions, starters } = words;
  const texts: [string, string | undefined][] = [
    ['words.name', name],
    ['words.greeting', greeting],
    ['words.instructions', instructions],
    ...starters.map((text, at): [string, string] => [`words.starters[${at}]`, text]),
    ...Object.entries(actions).map(([action, { whenToUse }]): [string, string | undefined] => [
      `actions.${action}.whenToUse`,
      whenToUse,
    ]),
  ];
  return texts.flatMap(([place, text]) => {
    const hidden = text === undefined ? undefined : hiddenCharacter(text);
    return hidden === undefined ? [] : [{ name: place, problem: `contains the invisible character ${hidden}` }];
  });
}

/** Bytes that tools may take in every conversation (F1): ours with an operator's words, and the declared ones, each together. */
export const MOST_TOOL_BYTES = 10_000;

/** Hints and the envelope of an answer; and of each field of its result the name and kind, as a tool of MCP tells them. */
const FRAME = 360;
const FIELD = 34;

/** What a model reads of a tool before each conversation. */
export function toolBytes({ name, title, description, input, output }: ToolWords): number {
  const fields = Object.keys(output.shape).length;
  const inputSchema = toolSchema(input, 'input');
  return Buffer.byteLength(JSON.stringify({ name, title, description, inputSchema })) + FRAME + fields * FIELD;
}

export function tooLong(policy: Policy, inCode: readonly Action[]): FieldProblem[] {
  const said = inCode.filter(({ name }) => policyFor(policy, name).whenToUse !== undefined);
  if (said.length === 0) return [];
  const bytes = inCode.reduce((sum, action) => sum + toolBytes(wordsOf(action, policy)), 0);
  if (bytes <= MOST_TOOL_BYTES) return [];
  return said.map(({ name }) => ({
    name: `actions.${name}.whenToUse`,
    problem: `makes the tools ${bytes} bytes long, at most ${MOST_TOOL_BYTES}: shorten it`,
  }));
}
