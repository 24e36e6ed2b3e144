import { UsageError } from './command.ts';

export function toPort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new UsageError(
      `${JSON.stringify(text.slice(0, 80))} is not a port.`,
      'Use a number from 0 (any free one) to 65535.',
    );
  return Number(text);
}
