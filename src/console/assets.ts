import { sha256 } from '../digest.ts';
import { css } from './css.ts';
import { script } from './script.ts';

/** The console's two files. Held as text so that the one bundle is all there is to ship; named by content so that they never go stale. */

export interface Asset {
  readonly path: string;
  readonly type: string;
  readonly text: string;
}

export const STYLE = asset('css', 'text/css; charset=utf-8', css);
export const SCRIPT = asset('js', 'text/javascript; charset=utf-8', script);
export const ASSETS: readonly Asset[] = [STYLE, SCRIPT];

function asset(ending: string, type: string, text: string): Asset {
  return { path: `/assets/console-${sha256(text).slice(0, 12)}.${ending}`, type, text };
}
