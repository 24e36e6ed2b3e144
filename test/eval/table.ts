import type { Score } from './play.ts';

/** The figures of a run, for people. */
export function toTable(scores: readonly Score[], model: string): string {
  const sum = (of: (score: Score) => number) => scores.reduce((all, score) => all + of(score), 0);
  const rows = scores.map((score) => [
    score.isSuccess ? 'ok' : 'FAIL',
    score.name,
    `${score.extraWrites}`,
    `${score.missingWrites}`,
    score.mustAsk === 0 ? '-' : `${score.asked}/${score.mustAsk}`,
    `${score.needlessCards}`,
    `${score.calls}`,
    `${score.tokens}`,
  ]);
  const total = [
    `${scores.filter(({ isSuccess }) => isSuccess).length}/${scores.length}`,
    `all, ${model}`,
    `${sum(({ extraWrites }) => extraWrites)}`,
    `${sum(({ missingWrites }) => missingWrites)}`,
    `${sum(({ asked }) => asked)}/${sum(({ mustAsk }) => mustAsk)}`,
    `${sum(({ needlessCards }) => needlessCards)}`,
    `${sum(({ calls }) => calls)}`,
    `${sum(({ tokens }) => tokens)}`,
  ];
  const head = ['', 'scenario', 'extra writes', 'missing', 'asked', 'needless cards', 'calls', 'tokens'];
  const all = [head, ...rows, total];
  const widths = head.map((_, at) => Math.max(...all.map((row) => row[at]?.length ?? 0)));
  const lines = all.map((row) =>
    row.map((cell, at) => (at < 2 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  '),
  );
  const problems = scores.flatMap(({ name, problems: found }) => found.map((problem) => `  ${name}: ${problem}`));
  return [...lines, ...(problems.length === 0 ? [] : ['', ...problems])].join('\n');
}
