import type { Prompt } from '../domain/prompt.ts';
import { GET_PROPOSAL } from '../domain/proposal.ts';
import { cleanData } from '../domain/safe-text.ts';
import { toolSchema } from '../domain/tool-schema.ts';
import type { ListedAction } from '../ports/gate.ts';
import type { FunctionTool } from '../ports/model.ts';

/** What the model is told before the first word of the person. */
export function systemPrompt(
  prompts: readonly Prompt[],
  known: {
    readonly bot: string;
    readonly isPublic: boolean;
    readonly actions: readonly ListedAction[];
    /** The account of the session (O9), JSON text. */
    readonly context: string | undefined;
    /** The operator's own, for this bot. */
    readonly instructions: string | undefined;
    readonly isSimulated: boolean;
    readonly now: number;
  },
): string {
  const prompt = prompts.find(({ name }) => name === 'system');
  if (prompt === undefined) throw new Error('prompts/system.ts is missing');
  return prompt.render({
    bot: known.bot,
    abilities: known.actions
      .filter(({ name }) => name !== GET_PROPOSAL)
      .map(({ name, title, mayAsk }) => `- ${name}: ${title}${mayAsk ? ' (may wait for the person to approve)' : ''}`)
      .join('\n'),
    today: new Date(known.now).toISOString().slice(0, 10),
    audience: known.isPublic ? 'visitors' : 'colleagues',
    org: known.isSimulated ? 'simulated' : 'real',
    ...(known.instructions === undefined ? {} : { instructions: known.instructions }),
    ...(known.context === undefined ? {} : { customer: quotedFields(known.context) }),
  });
}

export function toFunctionTool({ name, description, input }: ListedAction): FunctionTool {
  return { name, description, parameters: toolSchema(input, 'input') };
}

const MOST_FIELD = 300;
const MOST_CUSTOMER = 6_000;

/** One field a line, each value a JSON string: what a record says cannot end the quotation. */
function quotedFields(context: string): string {
  const fields = cleanData(JSON.parse(context) as Record<string, unknown>, MOST_FIELD); // written by `open`
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  let length = 0;
  return lines
    .filter((line) => {
      length += line.length;
      return length <= MOST_CUSTOMER;
    })
    .join('\n');
}
