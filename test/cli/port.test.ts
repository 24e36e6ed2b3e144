import { describe, expect, it } from 'vitest';
import { freePort } from '../../src/cli/port.ts';

describe('a port', () => {
  it.each(['nobody.invalid', 'a b', '999.1.1.1'])(
    'that is asked for on %j is a setting to change, not a fault of ours to look up',
    async (host) => {
      await expect(freePort(host)).rejects.toMatchObject({
        code: 'config_invalid',
        message: `No machine is called ${JSON.stringify(host)}.`,
        next: expect.stringContaining('HOST'),
      });
    },
  );
});
