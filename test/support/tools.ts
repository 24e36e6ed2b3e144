import { loadActions } from '../../src/runtime/load.ts';

/** What a bot that holds everything lists, in its order: a new action breaks no test that is not about it. */
export const TOOLS: readonly string[] = [
  ...(await loadActions(new URL('../../actions/', import.meta.url))).map(({ name }) => name),
  'GetProposal',
];
