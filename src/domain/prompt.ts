import { z } from 'zod';

/** Words the model reads. One file in `prompts/` holds one `definePrompt({...})`; MCP clients offer it to the person by name. */
export interface Prompt<A extends z.ZodObject = z.ZodObject> {
  /** Kebab-case, the name of its file. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** Strings only: that is all a prompt's argument can be on the wire. */
  readonly arguments: A;
  /** Actions it speaks of, by name. A bot that may not call them all is not offered it. */
  readonly needs: readonly string[];
  /** False for words of our own chat, which no client picks from a list. */
  readonly isListed?: boolean;
  readonly render: (args: z.output<A>) => string;
}

const made = new WeakSet<object>();

export function definePrompt<A extends z.ZodObject>(definition: Prompt<A>): Prompt<A> {
  const prompt = Object.freeze({ ...definition });
  made.add(prompt);
  return prompt;
}

export function isPrompt(value: unknown): value is Prompt {
  return typeof value === 'object' && value !== null && made.has(value);
}

/** What a person typed, inside our own sentence: one line of data, not more instructions. */
export function given(text: string): string {
  return JSON.stringify(text);
}

/** An argument of a prompt: text of a length that fits a sentence. */
export function requiredText(description: string) {
  return z.string().trim().min(1).max(500).describe(description);
}

export function optionalText(description: string) {
  return z.string().trim().min(1).max(500).optional().describe(description);
}
