import { botNamed } from '../../policy/permit.ts';
import { askOperatorOnceReal } from '../ask-operator.ts';
import { defineCommand } from '../command.ts';

/** Sends nothing: with --zip the package is written there, for an admin to deploy. */
export const command = defineCommand({
  args: ['<bot>'],
  options: {
    zip: { value: 'file', about: 'write the package there' },
    events: { about: 'select the synced objects for change events too' },
  },

  async run(call) {
    const {
      args: [name],
      options: { zip: file, events },
      terminal,
    } = call;
    const app = await call.openApp();
    // What an org is built like leaves by it.
    await askOperatorOnceReal(call, app, 'READ_INTEGRATIONS');
    const bot = await botNamed(app.store, name);
    const made = await (await app.orgSetup()).prepare(bot, { events }, AbortSignal.timeout(60_000));
    const { zip, parts, clicks, digest, environment, permissionSet } = made;
    if (file !== undefined) {
      const { writeFile } = await import('node:fs/promises');
      await writeFile(file, zip);
    }
    const lines = [
      `For ${bot.name}, in a ${environment} org:`,
      ...parts.map((part) => `  ${part}`),
      '',
      ...(file === undefined
        ? [`As a package: gatehouse org prepare ${bot.name}${events ? ' --events' : ''} --zip package.zip`]
        : [
            `Wrote ${file} (SHA-256 ${digest}). An admin tries it, then deploys it, and assigns ${permissionSet}:`,
            `  sf project deploy start --metadata-dir ${file} --single-package --dry-run --target-org ADMIN`,
            `  sf project deploy start --metadata-dir ${file} --single-package --target-org ADMIN`,
          ]),
      '',
      'Or by hand:',
      ...clicks.map((click, at) => `  ${at + 1}. ${click}`),
      '',
      'Nothing was changed in the org.',
    ];
    terminal.print(
      { bot: bot.name, ...made, zip: zip.toString('base64'), ...(file === undefined ? {} : { file }) },
      lines.join('\n'),
    );
  },
});
