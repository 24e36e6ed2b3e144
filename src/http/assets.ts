import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Context, Hono } from 'hono';
import { GatehouseError } from '../domain/errors.ts';
import type { Env } from './hono-env.ts';

/** The browser's files as the build left them, beside the program. They are named by their content and never change. */
const FOLDER = new URL(import.meta.url.endsWith('.ts') ? '../../dist/console/' : '../../console/', import.meta.url);

const TYPES = { css: 'text/css; charset=utf-8', js: 'text/javascript; charset=utf-8' } as const;
const NAME = /^[\w-]+-[A-Z0-9]{8}\.(css|js)$/;

type Entry = 'console' | 'chat' | 'plain' | 'style' | 'chat-style';
type Manifest = Readonly<Record<Entry, { readonly file: string; readonly imports: readonly string[] }>>;

let manifest: Manifest | undefined;

/** Addresses of an entry: its own, and of what it imports at once. Read at the first page, never at a start. */
export function assetOf(entry: Entry): { readonly path: string; readonly imports: readonly string[] } {
  manifest ??= readManifest();
  const { file, imports } = manifest[entry];
  return { path: `/assets/${file}`, imports: imports.map((name) => `/assets/${name}`) };
}

function readManifest(): Manifest {
  try {
    return JSON.parse(readFileSync(new URL('manifest.json', FOLDER), 'utf8'));
  } catch (cause) {
    throw new GatehouseError('config_invalid', 'The console’s files are not there.', {
      next: 'Build them with `npm run build`, or install the package again.',
      cause,
    });
  }
}

/** Each in the form that the browser takes best. A file of an earlier build may still be asked for by a page that is open. */
export function mountAssets(app: Hono<Env>): void {
  app.get('/assets/:file', async (c, next) => {
    const name = c.req.param('file');
    const ending = NAME.exec(name)?.[1];
    if (ending === undefined) return next();
    c.set('route', '/assets');
    const [body, encoding] = await inBestForm(name, c);
    if (body === undefined) return next();
    return c.body(new Uint8Array(body), 200, {
      'content-type': TYPES[ending as keyof typeof TYPES], // the pattern's own two
      'cache-control': 'public, max-age=31536000, immutable',
      vary: 'Accept-Encoding',
      ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
    });
  });
}

async function inBestForm(name: string, c: Context): Promise<readonly [Buffer | undefined, string | undefined]> {
  const takes = c.req.header('accept-encoding') ?? '';
  const encoding = /\bbr\b/.test(takes) ? 'br' : /\bgzip\b/.test(takes) ? 'gzip' : undefined;
  const ending = { br: '.br', gzip: '.gz', none: '' }[encoding ?? 'none'];
  return [await readFile(new URL(`${name}${ending}`, FOLDER)).catch(() => undefined), encoding];
}
