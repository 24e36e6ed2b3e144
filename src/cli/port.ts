import { createServer } from 'node:net';
import { GatehouseError } from '../domain/errors.ts';
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

/** Links name the port before anything listens, so that "any free one" is settled first. */
export function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', (error) => reject(explainListen(error, { host, port: 0 })));
    probe.listen(0, host, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
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
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return new GatehouseError('config_invalid', `No machine is called ${JSON.stringify(host.slice(0, 80))}.`, {
      next: 'Set HOST to an address of this machine, such as 127.0.0.1, or leave it out.',
    });
  return error;
}
