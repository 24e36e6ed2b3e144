import { defineCommand } from '../command.ts';
import { freePort, toPort } from '../port.ts';
import { serveHouse } from '../serve-house.ts';

export const command = defineCommand({
  options: { port: { value: 'number', about: 'default: PORT, or 3000' } },

  async run(call) {
    const stopped = call.untilStopped();
    const port = toPort(call.options.port) ?? call.config.port;
    const config = { ...call.config, port: port === 0 ? await freePort(call.config.host) : port };
    await serveHouse({ ...call, config, openApp: () => call.openApp(config), stopped });
  },
});
