import { userInfo } from 'node:os';
import type { App } from '../../app/app.ts';
import { keepRecovering } from '../../app/housekeeping.ts';
import type { CardAnswer, Chat } from '../../chat/chat.ts';
import type { Person } from '../../chat/conversation.ts';
import type { ChatEvent } from '../../chat/events.ts';
import { GatehouseError, toErrorBody } from '../../domain/errors.ts';
import type { ProposalView } from '../../domain/proposal.ts';
import { botNamed } from '../../policy/permit.ts';
import { DEMO_BOT, ensureDemoBot } from '../bots.ts';
import { type Lines, openLines } from '../chat/lines.ts';
import { type ChatScreen, createChatScreen } from '../chat/screen.ts';
import { defineCommand } from '../command.ts';
import type { Terminal } from '../terminal.ts';

/** A talk in the terminal. The person's own y or n at a card counts like a click in our chat page. */
export const command = defineCommand({
  options: {
    bot: { value: 'name', about: 'the bot to talk to', required: true },
    conversation: { value: 'id', about: 'go on with an earlier conversation' },
  },

  async run({ options: { bot: name, conversation }, config, openApp, terminal }) {
    const app = await openApp();
    if (app.isSimulated && name === DEMO_BOT) await ensureDemoBot(app);
    const { name: bot } = await botNamed(app.store, name);
    const session = config.session === undefined ? undefined : await app.access.verifySession(bot, config.session);
    const chat = await app.openChat();
    const person = { owner: `terminal:${userInfo().username}`, session };
    const id = conversation ?? (await chat.open(bot, person)).id;
    const stopRecovering = keepRecovering(app);
    const lines = openLines();
    try {
      terminal.say(greeting(bot, id, app, chat, terminal));
      await talk({ chat, id, person, lines, terminal, screen: createChatScreen(terminal, printer(terminal)) });
    } finally {
      lines.close();
      stopRecovering();
    }
    const { entries, proposals } = await chat.read(id, person);
    if (terminal.isJson) terminal.print({ conversation: id, bot, ...chat.about, entries, proposals }, '');
    else terminal.say(terminal.style('dim', `Go on later: gatehouse chat --bot ${bot} --conversation ${id}`));
  },
});

interface Talk {
  readonly chat: Chat;
  readonly id: string;
  readonly person: Person;
  readonly lines: Lines;
  readonly terminal: Terminal;
  readonly screen: ChatScreen;
}

async function talk(at: Talk): Promise<void> {
  const { chat, id, person, lines, terminal } = at;
  let turn: AbortController | undefined;
  lines.onInterrupt(() => {
    if (turn === undefined || turn.signal.aborted) lines.close();
    else turn.abort();
  });
  /** One turn, and the cards that it left. */
  const play = async (begin: (signal: AbortSignal) => AsyncIterable<ChatEvent>): Promise<void> => {
    turn = new AbortController();
    const open = await follow(at, begin(turn.signal));
    turn = undefined;
    for (const proposal of open) {
      const answer = await askCard(at, proposal);
      if (answer !== undefined) await play((signal) => chat.answer(id, person, proposal.id, answer, signal));
    }
  };

  const before = await chat.read(id, person);
  if (before.canResume) await play((signal) => chat.resume(id, person, signal));
  for (const proposal of (await chat.read(id, person)).proposals) {
    const answer = await askCard(at, proposal);
    if (answer !== undefined) await play((signal) => chat.answer(id, person, proposal.id, answer, signal));
  }
  for (;;) {
    const text = await lines.next(terminal.style('bold', 'you> '));
    if (text === undefined) {
      if (lines.isPerson) terminal.say('');
      return;
    }
    if (text.trim() === '') continue;
    if (!lines.isPerson) terminal.say(`you> ${text}`);
    await play((signal) => chat.say(id, person, text, signal));
  }
}

/** Shows what happens; answers the cards that are open at the end. A refusal is shown, and the talk goes on. */
async function follow({ screen, terminal }: Talk, events: AsyncIterable<ChatEvent>): Promise<readonly ProposalView[]> {
  const open: ProposalView[] = [];
  try {
    for await (const event of events) {
      screen.show(event);
      if (event.type === 'proposal') open.push(event.proposal);
    }
  } catch (error) {
    if (!(error instanceof GatehouseError)) throw error;
    terminal.fail(toErrorBody(error));
  }
  return open;
}

/** Undefined: it stays open. Only what is typed at this very prompt counts. */
async function askCard({ screen, lines, terminal }: Talk, proposal: ProposalView): Promise<CardAnswer | undefined> {
  const { choices = [], link } = proposal;
  const isAsked = lines.isPerson && proposal.assurance !== 'session';
  // Asked here, the choices are numbered below.
  screen.card(isAsked ? { ...proposal, choices: [] } : proposal);
  if (proposal.assurance === 'session') {
    terminal.say(`A signed-in approver decides this: ${link}`);
    return undefined;
  }
  if (!lines.isPerson) {
    terminal.say(
      `Nobody is at this terminal to decide; do it here: ${link}\nor: gatehouse approve ${proposal.id}   gatehouse reject ${proposal.id}`,
    );
    return undefined;
  }
  const numbers = choices.map((_, at) => at + 1);
  const yes = choices.length === 0 ? 'y = approve' : `${numbers.join('/')} = choose`;
  for (const [at, choice] of choices.entries()) terminal.say(`  ${at + 1}. ${choice.label}`);
  for (;;) {
    const typed = await lines.answer(terminal.style('bold', `decide (${yes}, n = decline, Enter = later)> `));
    const word = typed?.trim().toLowerCase();
    if (word === undefined || word === '') return undefined;
    if (word === 'n' || word === 'no') return { answer: 'reject' };
    if (choices.length === 0 && (word === 'y' || word === 'yes')) return { answer: 'approve' };
    const choice = choices[Number(word) - 1];
    if (choice !== undefined) return { answer: 'approve', choice: choice.id };
  }
}

function greeting(bot: string, id: string, { isSimulated }: App, { about }: Chat, { style }: Terminal): string {
  return [
    `${style('bold', `You are talking to ${bot}.`)} ${style('dim', `Ctrl-C stops an answer, and leaves. Conversation ${id}`)}`,
    ...(about.isDemo
      ? [
          `Model: ${about.model}, a DEMO that follows rules. Set OPENAI_API_KEY (and OPENAI_BASE_URL, OPENAI_MODEL) for a real one.`,
        ]
      : [`Model: ${about.model}`]),
    ...(isSimulated ? ['Org: SIMULATED: nothing here reaches Salesforce.'] : []),
    '',
  ].join('\n');
}

function printer({ isJson }: Terminal): (text: string) => void {
  return (text) => {
    if (!isJson) process.stdout.write(text);
  };
}
