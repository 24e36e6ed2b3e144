import { botNamed } from '../../policy/permit.ts';
import { askOperatorOnceReal } from '../ask-operator.ts';
import { defineCommand, UsageError } from '../command.ts';
import { deployOrg } from '../deploy-org.ts';

/** Shows the package, or writes it with --zip; nothing is sent without --deploy. */
export const command = defineCommand({
  args: ['<bot>'],
  options: {
    zip: { value: 'file', about: 'write the package there' },
    events: { about: 'select the synced objects for change events too' },
    deploy: { about: "try it in the org with an administrator's own sign-in, and deploy it after a yes" },
    assign: { about: 'with --deploy: also give the permission set to the connected user' },
    deployment: { value: 'id', about: 'go on with one that was begun' },
    yes: { value: 'digest', about: 'with --deployment: deploy exactly this zip' },
  },

  async run(call) {
    const {
      args: [name],
      options: { zip: file, events, deploy, assign, deployment: id, yes },
      terminal,
    } = call;
    if (yes !== undefined && id === undefined)
      throw new UsageError(
        'A yes is to a package that was tried.',
        'Say --deploy first: it prints --deployment and --yes.',
      );
    const app = await call.openApp();
    const bot = await botNamed(app.store, name);
    if (deploy || id !== undefined) return deployOrg(call, app, bot, { events, assign, id, yes });
    // What an org is built like leaves by it.
    await askOperatorOnceReal(call, app, 'READ_INTEGRATIONS', name);
    const { gives: _, ...made } = await (await app.orgSetup()).prepare(bot, { events }, AbortSignal.timeout(60_000));
    const { zip, parts, clicks, digest, environment, permissionSet } = made;
    if (file !== undefined) {
      const { writeFile } = await import('node:fs/promises');
      await writeFile(file, zip);
    }
    const again = `gatehouse org prepare ${bot.name}${events ? ' --events' : ''}`;
    const lines = [
      `For ${bot.name}, in a ${environment} org:`,
      ...parts.map((part) => `  ${part}`),
      '',
      `Deployed from here, with an administrator's own sign-in: ${again} --deploy`,
      ...(file === undefined
        ? [`As a package: ${again} --zip package.zip`]
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
