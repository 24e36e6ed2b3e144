export interface DemoMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly content?: string | null;
  readonly tool_calls?: readonly DemoCall[];
  readonly tool_call_id?: string;
}

export interface DemoCall {
  readonly id: string;
  readonly function: { readonly name: string; readonly arguments: string };
}

export interface Answer {
  readonly text?: string;
  readonly calls?: readonly { readonly name: string; readonly args: Readonly<Record<string, unknown>> }[];
}
