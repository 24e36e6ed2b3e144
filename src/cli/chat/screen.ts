import type { ChatEvent, Receipt } from '../../chat/events.ts';
import type { ProposalView } from '../../domain/proposal.ts';
import { cleanData } from '../../domain/safe-text.ts';
import { describeProposal } from '../envelope.ts';
import { columns, indent, type Terminal } from '../terminal.ts';

/** A turn as it is seen in the terminal. */
export interface ChatScreen {
  show(event: ChatEvent): void;
  card(proposal: ProposalView): void;
}

export function createChatScreen({ style, isScreen }: Terminal, write: (text: string) => void): ChatScreen {
  /** Something stands on the line already. */
  let isMidLine = false;
  /** The step whose progress line may still be replaced. */
  let running: string | undefined;

  const put = (text: string) => {
    if (text === '') return;
    write(text);
    isMidLine = !text.endsWith('\n');
    running = undefined;
  };
  const line = (text: string) => put(`${isMidLine ? '\n' : ''}${text}\n`);

  const step = ({ id, phase, words }: Extract<ChatEvent, { type: 'tool' }>) => {
    if (phase === 'started') {
      if (!isScreen) return;
      put(`${isMidLine ? '\n' : ''}${style('dim', `  ⋯ ${seen(words)}`)}`);
      running = id;
      return;
    }
    const mark = phase === 'done' ? style('green', '✓') : style('yellow', '✗');
    if (running === id) {
      // Over its own progress line.
      write('\r\u001b[2K');
      isMidLine = false;
    }
    line(`  ${mark} ${style('dim', seen(words))}`);
  };

  return {
    show(event) {
      switch (event.type) {
        case 'text':
          return put(seen(event.delta));
        case 'thinking':
          return isScreen ? line(style('dim', '  ⋯ thinking')) : undefined;
        case 'tool':
          return step(event);
        case 'proposal':
          return;
        case 'receipt':
          return line(receipt(event.receipt, style));
        case 'error':
          return line(
            `${style('red', 'Error:')} ${seen(event.error.message)}\n${style('cyan', 'Next:')}  ${seen(event.error.next)}`,
          );
        case 'done':
          if (event.reason === 'stopped') line(style('dim', 'Stopped. What was done until here is done.'));
          return put(isMidLine ? '\n' : '');
      }
    },
    card: (proposal) =>
      line(
        `\n${style('yellow', '┌ Nothing is written yet. This is what would happen:')}\n${seen(describeProposal(proposal))}`,
      ),
  };
}

function receipt({ title, status, words, record, changes }: Receipt, style: Terminal['style']): string {
  const colour = status === 'done' ? 'green' : status === 'failed' || status === 'unknown' ? 'red' : 'yellow';
  const name = record?.name === undefined ? '' : ` ${JSON.stringify(record.name)}`;
  const parts = [`  ${style(colour, '■')} ${seen(`${title}${name}: ${words}`)}`];
  if (changes.length > 0)
    parts.push(
      indent(columns(changes.map(({ field, before, after }) => [field, `${show(before)} → ${show(after)}`])), '    '),
    );
  if (record?.url !== undefined) parts.push(`    ${seen(record.url)}`);
  return parts.join('\n');
}

function show(value: unknown): string {
  return value === null ? 'empty' : seen(String(value));
}

/** A record must not move the cursor of whoever reads it. Our own colours are put around it, never inside. */
function seen(text: string): string {
  return cleanData(text.replaceAll('\r', ''), Number.POSITIVE_INFINITY);
}
