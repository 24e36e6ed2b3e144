import { type NeverUsed, narrowed, type UnusedPlace } from '../../policy/never-used.ts';
import { botNamed } from '../../policy/permit.ts';
import { defineCommand } from '../command.ts';

/** Saves nothing: with a file, the narrower policy is written there. */
export const command = defineCommand({
  args: ['<bot>', '[file]'],

  async run({ args: [name, file], openApp, terminal }) {
    const app = await openApp();
    const bot = await botNamed(app.store, name);
    const found = await app.neverUsed(bot);
    const { grants, places } = found;
    const permissions = grants.map(({ permission }) => permission);
    const lines = [
      ...(found.isYoung ? [`${bot.name} is younger than 30 days: nothing can be said yet.`] : []),
      ...(found.isYoung || grants.length + places.length > 0 ? [] : ['Nothing is open that was not used in 30 days.']),
      ...grants.map(({ permission, actions }) => `${permission}: ${actions.join(', ')} was never called`),
      ...places.map(toLine),
      ...notJudged(found),
    ];
    const next = [
      ...(permissions.length > 0 ? [`gatehouse grant ${bot.name} ${permissions.join(' ')} --revoke`] : []),
      ...(file !== undefined && places.length > 0 ? [`gatehouse policy set ${bot.name} ${file}`] : []),
    ];
    if (file !== undefined) {
      const { writeFile } = await import('node:fs/promises');
      await writeFile(file, `${JSON.stringify(narrowed(bot.policy, places), null, 2)}\n`);
      lines.push(`Wrote the narrower policy to ${file}.`);
    }
    if (next.length > 0) lines.push('', 'Nothing was changed. To narrow it:', ...next.map((line) => `  ${line}`));
    terminal.print({ bot: bot.name, ...found, ...(file === undefined ? {} : { file }) }, lines.join('\n'));
  },
});

const toLine = ({ object, what, fields }: UnusedPlace) =>
  ({
    object: `${object}: never read nor written`,
    write: `${object}: never written`,
    fields: `${object}: listed and never used: ${fields.join(', ')}`,
  })[what];

function notJudged({ unknown: { young, paths, fields } }: NeverUsed): readonly string[] {
  return [
    ...(young.length > 0 ? [`Cannot be judged, open for less than 30 days: ${young.join(', ')}`] : []),
    ...(paths.length > 0 ? [`No object can be judged, a mapping may lead to any: ${paths.join(', ')}`] : []),
    ...(fields.length > 0 ? [`Cannot be judged, queries are not kept any more: ${fields.join(', ')}`] : []),
  ];
}
