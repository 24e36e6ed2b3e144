import { readdir } from 'node:fs/promises';
import { isActionPermission } from '../../permissions/catalog.ts';
import { type Action, isAction } from '../domain/action.ts';
import { GatehouseError } from '../domain/errors.ts';
import { isPrompt, type Prompt } from '../domain/prompt.ts';

/** Finds what lies in `actions/` and `prompts/`. Refuses anything malformed: a stray file must never become a tool. */

// Sources in the repository and under vitest, built files in dist: each list only their own kind.
const EXTENSION = import.meta.url.endsWith('.ts') ? '.ts' : '.js';

/** Default exports of every file of the folder, by file name without extension, sorted. */
async function loadFolder(folder: URL): Promise<[file: string, value: unknown][]> {
  const names = (await readdir(folder)).filter(
    (name) => name.endsWith(EXTENSION) && !name.endsWith('.d.ts') && !name.startsWith('.'),
  );
  return Promise.all(
    names.sort().map(async (name): Promise<[string, unknown]> => {
      const module: { default?: unknown } = await import(new URL(name, folder).href);
      return [name.slice(0, -EXTENSION.length), module.default];
    }),
  );
}

export async function loadActions(...folders: readonly URL[]): Promise<readonly Action[]> {
  const files = (await Promise.all(folders.map(loadFolder))).flat();
  const actions = files.map(([file, value]) => checkAction(file, value));
  const twice = actions.find((action, at) => actions.findIndex((other) => other.name === action.name) !== at);
  if (twice !== undefined) throw refuse(`Two actions are named ${twice.name}.`, 'Rename one of them and its file.');
  return actions;
}

export async function loadPrompts(folder: URL): Promise<readonly Prompt[]> {
  return (await loadFolder(folder)).map(([file, value]) => {
    if (!isPrompt(value))
      throw refuse(
        `prompts/${file} does not export a prompt.`,
        'Make its default export with definePrompt({...}), or move the file.',
      );
    if (value.name !== file)
      throw refuse(`prompts/${file} holds the prompt ${value.name}.`, `Name the file ${value.name}.`);
    return value;
  });
}

/** Exported for the contract tests, which feed it every way of being wrong. */
export function checkAction(file: string, value: unknown): Action {
  const at = `actions/${file}`;
  if (!isAction(value))
    throw refuse(
      `${at} does not export an action.`,
      'Make its default export with defineAction({...}), or move the file.',
    );
  if (!/^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(value.name))
    throw refuse(
      `${at} names its action ${JSON.stringify(value.name)}.`,
      'Use 1-64 of A-Z a-z 0-9 _ -, a letter first.',
    );
  if (kebab(value.name) !== file)
    throw refuse(`${at} holds the action ${value.name}.`, `Name the file ${kebab(value.name)}.`);
  if (!isActionPermission(value.permission))
    throw refuse(
      `${at} asks for ${JSON.stringify(value.permission)}, which is no permission.`,
      'Add it to SALESFORCE_ACTIONS in permissions/catalog.ts.',
    );
  if (value.risk !== 'read' && value.preview === undefined)
    throw refuse(`${at} writes without a preview.`, 'Add preview(): a human must see what would happen.');
  if (value.touches === undefined || (value.risk !== 'read' && !writesSomething(value.touches)))
    throw refuse(
      `${at} does not say what it ${value.risk === 'read' ? 'reads' : 'writes'}.`,
      "Declare it, e.g. touches: { reads: ['Account'], creates: ['Task'] }.",
    );
  for (const [key, field] of Object.entries(value.input.shape))
    if (!(field as { description?: string }).description)
      throw refuse(`${at}: the input ${key} has no description.`, 'Describe it with .describe(...).');
  return value;
}

function writesSomething({ creates = [], edits = [], deletes = [] }: Action['touches']): boolean {
  return creates.length + edits.length + deletes.length > 0;
}

/** `RunSOQL` is `run-soql`, `GetAccount` is `get-account`. */
export function kebab(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1-$2')
    .toLowerCase();
}

function refuse(message: string, next: string): GatehouseError {
  return new GatehouseError('config_invalid', message, { next });
}
