/** The port of a language model: what a turn needs of it, and no more. */
export interface Model {
  readonly name: string;
  /** Rule-based, for trying things without a key; every surface says so. */
  readonly isDemo: boolean;
  /** Streams one answer. Throws GatehouseError; ends early when `signal` aborts. */
  complete(request: ModelRequest): AsyncIterable<Delta>;
}

export interface ModelRequest {
  readonly messages: readonly ModelMessage[];
  readonly tools: readonly FunctionTool[];
  readonly maxTokens: number;
  readonly signal: AbortSignal;
}

export type ModelMessage =
  | { readonly role: 'system' | 'user'; readonly text: string }
  | {
      readonly role: 'assistant';
      readonly text: string;
      readonly calls: readonly ToolCall[];
      readonly kept?: Kept | undefined;
    }
  | { readonly role: 'tool'; readonly call: string; readonly text: string };

/** What an endpoint sent beside text and calls (signatures of its thoughts, say): only that endpoint gets it back, as it was. */
export interface Kept {
  /** Endpoint and model. */
  readonly from: string;
  readonly extra: Extra;
}

export type Extra = Readonly<Record<string, unknown>>;

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** As the model wrote them: JSON, one hopes. */
  readonly args: string;
  /** What came with the call beside these; goes back with it. */
  readonly extra?: Extra | undefined;
}

export interface FunctionTool {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of one flat object. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** One chunk of a stream, as loosely as servers send it. `Accumulator` makes sense of it. */
export interface Delta {
  readonly text?: string | null | undefined;
  /** What the model thinks, where the server tells it apart: never part of the answer. */
  readonly thought?: string | undefined;
  readonly calls?: readonly CallPiece[] | null | undefined;
  readonly finish?: string | null | undefined;
  readonly tokens?: number | undefined;
  readonly kept?: Kept | undefined;
}

export interface CallPiece {
  readonly index?: number | null | undefined;
  readonly id?: string | null | undefined;
  readonly name?: string | null | undefined;
  /** Text to add; some servers send the whole object instead. */
  readonly args?: unknown;
  readonly extra?: Extra | undefined;
}

/** How a turn that nobody typed begins. The JSON behind it is data, like every answer of an action. */
export const OUTCOME = '[Gatehouse, not the person] The decision on';
