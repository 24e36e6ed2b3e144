import { GatehouseError } from '../errors.ts';
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

/** A port that cannot be had is a setting to change, not a fault of ours. */
export function explainListen(
  error: unknown,
  { host, port }: { readonly host: string; readonly port: number },
): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE')
    return new GatehouseError('config_invalid', `Port ${port} on ${host} is in use by another program.`, {
      next: 'Stop that program, or choose another port: --port 3001.',
    });
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL')
    return new GatehouseError('config_invalid', `This user cannot listen on ${host} port ${port}.`, {
      next: 'Choose a port above 1023 with --port, and an address of this machine for HOST.',
    });
  return error;
}
