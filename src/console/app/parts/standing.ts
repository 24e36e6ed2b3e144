import { useQuery } from '@tanstack/preact-query';
import { api, said } from '../api.ts';

/** Where each action stands for each bot, and what actions there are. */

export type Grid = Awaited<ReturnType<typeof readGrid>>;
export type BotRow = Grid['bots'][number];
export type Cell = BotRow['cells'][number];
const readGrid = () => said(api.GET('/api/permissions'));
export const useGrid = () => useQuery({ queryKey: ['policy', 'grid'], queryFn: readGrid });

export type Known = Awaited<ReturnType<typeof readActions>>['actions'][number];
const readActions = (bot: string) => said(api.GET('/api/actions', { params: { query: { bot } } }));
/** Those in code, and those that were declared for this bot. */
export const useActions = (bot: string) =>
  useQuery({ queryKey: ['policy', bot, 'actions'], queryFn: () => readActions(bot) });

export const WORDS: { readonly [W in Cell['word']]: { readonly word: string; readonly means: string } } = {
  runs: { word: 'Runs', means: 'runs by itself' },
  asks: { word: 'Asks', means: 'asks a person' },
  denied: { word: 'Denied', means: 'is denied' },
  not_granted: { word: '–', means: 'is not granted' },
  off: { word: 'Off', means: 'is switched off now' },
};
