import { GET_PROPOSAL } from '../domain/proposal.ts';
import type { Entry, Loaded, Transcript, TranscriptEntry } from './conversation.ts';
import { asOpen, type Outcome } from './tool-answer.ts';

/** A conversation as its person sees it again, after a reload or a restart. `outcomes` are those of its cards; `under` is what the bot stands under now. */
export function toTranscript(loaded: Loaded, outcomes: readonly Outcome[], under: string): Transcript {
  const waiting = outcomes.map((outcome) =>
    'envelope' in outcome && outcome.envelope.status === 'waiting' ? outcome.envelope.proposal : undefined,
  );
  const wasInterrupted = loaded.row.turn !== null && !loaded.isBusy;
  return {
    conversation: loaded.conversation,
    entries: loaded.entries.flatMap(({ at, entry }) => shown(asOpen(entry, under)).map((one) => ({ at, ...one }))),
    proposals: waiting.filter((proposal) => proposal !== undefined),
    isBusy: loaded.isBusy,
    canResume: !loaded.isBusy && (wasInterrupted || waiting.some((proposal) => proposal?.state !== 'pending')),
  };
}

type Shown = TranscriptEntry extends infer T ? (T extends unknown ? Omit<T, 'at'> : never) : never;

function shown(entry: Entry): Shown[] {
  switch (entry.role) {
    case 'user':
      return [{ kind: 'person', text: entry.text }];
    case 'assistant':
      return entry.text === '' ? [] : [{ kind: 'bot', text: entry.text }];
    case 'outcome':
      return entry.receipt === undefined ? [] : [{ kind: 'receipt', receipt: entry.receipt }];
    case 'tool': {
      if (entry.name === GET_PROPOSAL) return [];
      const { name, words, isFailed, receipt } = entry;
      return [
        { kind: 'step', name, phase: isFailed ? 'failed' : 'done', words },
        ...(receipt === undefined ? [] : [{ kind: 'receipt' as const, receipt }]),
      ];
    }
  }
}
