// Bundles the program into dist/ with esbuild: start time decides (unbundled, Kysely alone costs more than F1 allows).
// Every file of actions/ and prompts/ stays a file of its own, so that the loader still finds them by reading the folder.
//   --if-stale     only when a source is newer than dist
//   --if-possible  quietly nothing where esbuild is not installed (npm ci --omit=dev)
//   --prune        also removes old chunks that a running process might still want to load
import { chmod, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';

const ROOT = path.dirname(fileURLToPath(import.meta.url));
const DIST = path.join(ROOT, 'dist');
const MAIN = path.join(DIST, 'src', 'main.js');
const SOURCES = ['src', 'actions', 'permissions', 'prompts', 'package.json', 'build.mjs'];
/** What every start loads beside the program entry and the actions, each by an import() of its own. */
const START = ['src/cli/commands/mcp.ts', 'src/app/app.ts'];
/** What the browser loads: pages of operators, the chat of visitors, and the few that work without a script. Each by itself. */
const BROWSER = {
  console: 'src/console/app/main.tsx',
  chat: 'src/console/app/chat/chat.ts',
  plain: 'src/console/app/plain.ts',
  style: 'src/console/app/style.css',
  'chat-style': 'src/console/app/chat/chat.css',
};
/** What the first page is made of. */
const APP_START = ['frame.tsx', 'lazy.tsx', 'pages/overview.tsx'].map((file) => `src/console/app/${file}`);
/** Pure words that run on both sides. */
const BOTH_SIDES = new Set(
  ['rights', 'safe-text', 'time-left', 'console-words'].map((name) => `src/domain/${name}.ts`),
);
const DAY_MS = 86_400_000;
const flags = new Set(process.argv.slice(2));

if (!flags.has('--if-stale') || (await isStale())) await build();

async function build() {
  const startedAt = new Date();
  const esbuild = await import('esbuild').catch((error) => {
    if (flags.has('--if-possible')) return undefined;
    throw new Error('esbuild is not installed, so dist/ cannot be built. Run: npm ci', { cause: error });
  });
  if (esbuild === undefined) return;

  const modules = await Promise.all(['actions', 'prompts'].map(listModules));
  const options = {
    absWorkingDir: ROOT,
    entryPoints: ['src/main.ts', 'src/index.ts', 'src/sim/index.ts', ...modules.flat()],
    outbase: '.',
    outdir: DIST,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    chunkNames: 'src/app/chunk-[hash]',
    // CommonJS packages inside an ES bundle still call require().
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    // Native, or heavy and rarely wanted: loaded from node_modules on first use.
    external: [
      'sqlite3',
      '@photostructure/sqlite',
      'jsforce',
      'pg',
      'openai',
      '@keyv/redis',
      '@keyv/postgres',
      '@jetstreamapp/soql-parser-js',
      '@modelcontextprotocol/server/validators/ajv',
    ],
    plugins: [englishOnly(), ajvOnDemand()],
    // A start reads a megabyte of text: what is shorter starts sooner (F1).
    minify: true,
    legalComments: 'linked',
    metafile: true,
    write: false,
    logLevel: 'error',
  };
  // The first build tells what is loaded by itself.
  const { metafile: first } = await esbuild.build(options);
  const doors = Object.values(first.outputs).flatMap(({ entryPoint }) => entryPoint ?? []);
  const plugins = [...options.plugins, oneStart(doors)];
  const { outputFiles, metafile } = await esbuild.build({ ...options, plugins });
  const files = new Map(outputFiles.map(({ path: file, contents }) => [path.relative(DIST, file), contents]));
  const browser = await buildBrowser(esbuild);
  for (const [name, contents] of browser.files) files.set(path.join('console', name), contents);
  files.set('THIRD-PARTY-NOTICES.txt', await notices(Object.keys({ ...metafile.inputs, ...browser.inputs })));
  await replaceDist(files);
  // A source that was saved during the build must count as newer than its result.
  await utimes(MAIN, startedAt, startedAt);
}

/** The browser's files, each also compressed, and the manifest by which the server finds what an entry is called. */
async function buildBrowser(esbuild) {
  const outdir = path.join(DIST, 'console');
  const { outputFiles, metafile } = await esbuild.build({
    absWorkingDir: ROOT,
    entryPoints: Object.entries(BROWSER).map(([out, file]) => ({ in: file, out })),
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    tsconfig: 'src/console/app/tsconfig.json',
    plugins: [oneApp()],
    entryNames: '[name]-[hash]',
    chunkNames: 'part-[hash]',
    minify: true,
    legalComments: 'none',
    metafile: true,
    write: false,
    logLevel: 'error',
  });
  const foreign = Object.keys(metafile.inputs).filter(
    (file) => !/^(src\/console\/app\/|node_modules\/|gatehouse:)/.test(file) && !BOTH_SIDES.has(file),
  );
  if (foreign.length > 0) throw new Error(`The browser would load code of the server: ${foreign.join(', ')}`);
  const files = new Map();
  for (const { path: file, contents } of outputFiles) {
    const name = path.relative(outdir, file);
    files.set(name, contents).set(`${name}.br`, brotliCompressSync(contents)).set(`${name}.gz`, gzipSync(contents));
  }
  const nameOf = (output) => path.relative(outdir, path.join(ROOT, output));
  const entries = Object.entries(BROWSER).map(([entry, source]) => {
    const [output, { imports }] = Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint === source);
    const atOnce = imports.filter(({ kind }) => kind === 'import-statement').map((imported) => nameOf(imported.path));
    return [entry, { file: nameOf(output), imports: atOnce }];
  });
  files.set('manifest.json', `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`);
  return { files, inputs: metafile.inputs };
}

/**
 * Keeps what every start loads in one file instead of thirty of a few hundred bytes (F1): esbuild cuts where one door needs
 * less than another, so every door but the program entry, which also prints the help, imports the same.
 */
function oneStart(doors) {
  const isDoor = new Set(doors.filter((file) => file !== 'src/main.ts').map((file) => path.join(ROOT, file)));
  const start = [...START, ...doors.filter((file) => file.startsWith('actions/'))];
  return {
    name: 'one-start',
    setup(build) {
      build.onResolve({ filter: /^gatehouse:start$/ }, () => ({ path: 'start', namespace: 'gatehouse' }));
      build.onLoad({ filter: /^start$/, namespace: 'gatehouse' }, () => ({
        contents: start.map((file) => `import './${file}';`).join('\n'),
        resolveDir: ROOT,
      }));
      build.onLoad({ filter: /\.ts$/ }, async ({ path: file }) =>
        isDoor.has(file)
          ? { contents: `${await readFile(file, 'utf8')}\nimport 'gatehouse:start';`, loader: 'ts' }
          : undefined,
      );
    },
  };
}

/** The same for the browser: what the first page needs lies in one file, however few of the other pages need a part of it. */
function oneApp() {
  return {
    name: 'one-app',
    setup(build) {
      build.onResolve({ filter: /^gatehouse:app$/ }, () => ({ path: 'app', namespace: 'gatehouse' }));
      build.onLoad({ filter: /^app$/, namespace: 'gatehouse' }, () => ({
        contents: APP_START.map((file) => `import './${file}';`).join('\n'),
        resolveDir: ROOT,
      }));
      build.onLoad({ filter: /console[\\/]app[\\/]pages[\\/][\w-]+\.tsx$/ }, async ({ path: file }) =>
        APP_START.some((start) => path.join(ROOT, start) === file)
          ? undefined
          : { contents: `${await readFile(file, 'utf8')}\nimport 'gatehouse:app';`, loader: 'tsx' },
      );
    },
  };
}

/** zod carries its messages in some fifty languages, a third of what a start would have to read. We speak English. */
function englishOnly() {
  return {
    name: 'english-only',
    setup: (build) =>
      build.onLoad({ filter: /node_modules[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
        contents: "export { default as en } from './en.js';",
      })),
  };
}

/** The MCP SDK carries Ajv, a sixth of what a start would have to read, for checks of filled forms that the gate does itself. */
function ajvOnDemand() {
  return {
    name: 'ajv-on-demand',
    setup: (build) =>
      build.onLoad({ filter: /@modelcontextprotocol[\\/]server[\\/]dist[\\/]shimsNode\.mjs$/ }, () => ({
        contents: `export { default as process } from 'node:process';
          export class DefaultJsonSchemaValidator {
            getValidator(schema) {
              const { AjvJsonSchemaValidator } = require('@modelcontextprotocol/server/validators/ajv');
              return new AjvJsonSchemaValidator().getValidator(schema);
            }
          }`,
      })),
  };
}

/**
 * File by file, each by rename, what is imported before what imports it, main.js last: a second build or a running process
 * meets whole files only. Chunks are named after their content, so old ones may stay a while for processes that run them;
 * everything else that is left over goes at once, because a stray file in dist/actions would be a tool.
 */
async function replaceDist(files) {
  const staging = path.join(DIST, `.staging-${process.pid}`);
  const rank = (name) => (/chunk-|^console.part-/.test(name) ? 0 : name === path.relative(DIST, MAIN) ? 2 : 1);
  for (const name of [...files.keys()].sort((a, b) => rank(a) - rank(b))) {
    const [from, to] = [path.join(staging, name), path.join(DIST, name)];
    await mkdir(path.dirname(from), { recursive: true });
    await mkdir(path.dirname(to), { recursive: true });
    await writeFile(from, files.get(name));
    if (to === MAIN) await chmod(from, 0o755);
    await rename(from, to);
  }
  await rm(staging, { recursive: true, force: true });

  for (const folder of ['src', 'src/app', 'src/sim', 'actions', 'prompts', 'console'])
    for (const entry of await readdir(path.join(DIST, folder), { withFileTypes: true }).catch(() => [])) {
      if (entry.isDirectory()) continue;
      const { name } = entry;
      const file = path.join(DIST, folder, name);
      // By a process that runs, or by a page that is open.
      const isNamedByContent = name.includes('chunk-') || (folder === 'console' && name !== 'manifest.json');
      const mayBeInUse = isNamedByContent && !flags.has('--prune') && (await ageOf(file)) < DAY_MS;
      if (!files.has(path.join(folder, name)) && !mayBeInUse) await rm(file, { force: true });
    }
}

async function isStale() {
  const built = await modifiedAt(MAIN);
  if (built === undefined) return true;
  const files = await Promise.all(
    SOURCES.map(async (source) => {
      const at = path.join(ROOT, source);
      if ((await stat(at).catch(() => undefined))?.isDirectory() !== true) return [at];
      // Folders too: a removed file changes nothing but its folder's time.
      return [at, ...(await readdir(at, { recursive: true })).map((name) => path.join(at, name))];
    }),
  );
  const times = await Promise.all(files.flat().map(modifiedAt));
  return times.some((time) => time !== undefined && time > built);
}

async function listModules(folder) {
  const names = await readdir(path.join(ROOT, folder)).catch(() => []);
  return names.filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts')).map((name) => `${folder}/${name}`);
}

/** The licence texts of everything that was bundled: a bundle carries other people's code. */
async function notices(inputs) {
  const folders = inputs.map((input) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1]);
  const parts = ['Gatehouse contains the following third-party code.\n'];
  for (const folder of [...new Set(folders)].filter((found) => found !== undefined).sort()) {
    const { name, version, license } = JSON.parse(await readFile(path.join(ROOT, folder, 'package.json'), 'utf8'));
    const file = (await readdir(path.join(ROOT, folder))).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
    const text =
      file === undefined ? 'No licence file in the package.' : await readFile(path.join(ROOT, folder, file), 'utf8');
    parts.push(`${'='.repeat(80)}\n${name} ${version} (${license ?? 'see below'})\n\n${text.trim()}\n`);
  }
  return parts.join('\n');
}

async function modifiedAt(file) {
  return (await stat(file).catch(() => undefined))?.mtimeMs;
}

async function ageOf(file) {
  return Date.now() - ((await modifiedAt(file)) ?? 0);
}
