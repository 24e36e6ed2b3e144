import { isLoopbackName } from '../../domain/loopback.ts';
import { defineCommand } from '../command.ts';
import { createDemoBeside } from '../demo/beside.ts';
import { freePort, toPort } from '../port.ts';
import { serveHouse } from '../serve-house.ts';

export const command = defineCommand({
  options: { port: { value: 'number', about: 'default: PORT, or 3000' } },

  async run(call) {
    const stopped = call.untilStopped();
    const port = toPort(call.options.port) ?? call.config.port;
    const config = { ...call.config, port: port === 0 ? await freePort(call.config.host) : port };
    // Its address is one of this machine: of no use to a browser elsewhere.
    const isHere = config.url === undefined && isLoopbackName(config.host);
    const demo = isHere ? { demo: createDemoBeside() } : {};
    await serveHouse({ ...call, config, openApp: () => call.openApp(config), stopped, ...demo });
  },
});
