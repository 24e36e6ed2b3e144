import { Client, type ElicitRequest, type ElicitResult } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import type { ErrorBody } from '../../domain/errors.ts';
import type { Envelope } from '../../domain/proposal.ts';
import type { Terminal } from '../terminal.ts';

/** Where the demo plays: a real MCP client before a real server process, the person beside it, and what each of them says. */
export interface Stage {
  scene(title: string): void;
  user(says: string): void;
  /** What the bot tells its user. */
  bot(says: string): void;
  /** What the org holds now, read past the gate. */
  org(holds: string): void;
  note(text: string): void;
  /** The bot calls a tool; what came back, told and returned. */
  call(tool: string, args: Readonly<Record<string, unknown>>): Promise<Answer>;
  tools(): Promise<readonly string[]>;
  /** How the person answers the next question. */
  personWill(answer: 'approve' | 'decline'): void;
  /** What the person was asked since the last look. */
  questions(): readonly string[];
  check(claim: string, isTrue: boolean): void;
  readonly checks: readonly Check[];
  close(): Promise<void>;
}

export interface Check {
  readonly scene: string;
  readonly claim: string;
  readonly ok: boolean;
}

/** An envelope, or the error in its place. */
export type Answer = Partial<Envelope> & Partial<ErrorBody>;

export interface Server {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export async function openStage({ command, args, env }: Server, terminal: Terminal): Promise<Stage> {
  const { style } = terminal;
  const tell = (who: string, text: string) => terminal.say(`${who.padEnd(7)}${text}`.trimEnd());
  const checks: Check[] = [];
  const asked: string[] = [];
  let current = '';
  let willApprove = false;

  const client = new Client(
    { name: 'gatehouse-demo', version: '1.0.0' },
    { capabilities: { elicitation: { form: {} } }, versionNegotiation: { mode: 'auto' } },
  );
  client.setRequestHandler('elicitation/create', ({ params }) => {
    asked.push(params.message);
    for (const [at, line] of params.message.split('\n').entries()) tell(at === 0 ? 'Asked' : '', line);
    if (!willApprove) {
      tell('Person', style('red', 'No.'));
      return { action: 'decline' };
    }
    const content = yesTo(params);
    tell('Person', style('green', Object.values(content).join(', ')));
    return { action: 'accept', content };
  });
  await client.connect(new StdioClientTransport({ command, args: [...args], env: { ...env }, stderr: 'inherit' }));

  return {
    checks,
    scene(title) {
      current = title;
      tell('', '');
      tell(style('bold', `── ${title} ${'─'.repeat(Math.max(4, 72 - title.length))}`), '');
    },
    user: (says) => tell('User', style('cyan', `“${says}”`)),
    bot: (says) => tell('Bot', style('cyan', `“${says}”`)),
    org: (holds) => tell('Org', holds),
    note: (text) => tell('', style('dim', text)),
    async call(name, args) {
      tell('Bot', `${style('bold', name)} ${JSON.stringify(args)}`);
      const result = await client.callTool({ name, arguments: { ...args } });
      const answer = toAnswer(result);
      tell('Gate', answer.error === undefined ? describe(answer) : `${answer.error.code}: ${answer.error.message}`);
      if (answer.error !== undefined) tell('', `next: ${answer.error.next}`);
      return answer;
    },
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    personWill(answer) {
      willApprove = answer === 'approve';
    },
    questions: () => asked.splice(0),
    check(claim, ok) {
      checks.push({ scene: current, claim, ok });
      tell(ok ? style('green', '✓') : style('red', '✗'), claim);
    },
    close: () => client.close(),
  };
}

function toAnswer(result: { structuredContent?: unknown; content: readonly { type: string }[] }): Answer {
  // Both are our own server's: an envelope (or an error in its place), and the same as text.
  if (result.structuredContent !== undefined) return result.structuredContent as Answer;
  const [first] = result.content as readonly { readonly text?: string }[];
  return JSON.parse(first?.text ?? '{}') as Answer;
}

function describe({ status, result, proposal }: Answer): string {
  // No addresses: this org is gone when the demo ends.
  const text = JSON.stringify(result ?? proposal?.summary ?? {}, (key, value: unknown) =>
    key === 'url' ? undefined : value,
  );
  return `${status}  ${text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text}`;
}

/** Of an answer; the bot gets all of it. */
const MOST_SHOWN = 160;

/** The person takes the first decision on offer, and types what the form asks to be typed. */
function yesTo(params: ElicitRequest['params']): NonNullable<ElicitResult['content']> {
  const properties = 'requestedSchema' in params ? params.requestedSchema.properties : {};
  const content: NonNullable<ElicitResult['content']> = {};
  for (const [name, field] of Object.entries(properties)) {
    const typed = /type: (.+)$/.exec(field.description ?? '')?.[1];
    const first = 'enum' in field ? field.enum?.[0] : typed;
    if (first !== undefined) content[name] = first;
  }
  return content;
}
