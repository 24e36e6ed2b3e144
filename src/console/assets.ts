import { sha256 } from '../domain/canonical-json.ts';
import { chatCss } from './chat-css.ts';
import { chatScript } from './chat-script.ts';
import { css } from './css.ts';
import { script } from './script.ts';

/** The files of the console and the chat. Held as text so that the one bundle is all there is to ship; named by content so that they never go stale. */

export interface Asset {
  readonly path: string;
  readonly type: string;
  readonly text: string;
}

export const STYLE = style('console', css);
export const SCRIPT = module('console', script);
export const CHAT_STYLE = style('chat', chatCss);
export const CHAT_SCRIPT = module('chat', chatScript);
export const ASSETS: readonly Asset[] = [STYLE, SCRIPT, CHAT_STYLE, CHAT_SCRIPT];

function style(name: string, text: string): Asset {
  return { path: pathOf(name, text, 'css'), type: 'text/css; charset=utf-8', text };
}

function module(name: string, text: string): Asset {
  return { path: pathOf(name, text, 'js'), type: 'text/javascript; charset=utf-8', text };
}

function pathOf(name: string, text: string, ending: string): string {
  return `/assets/${name}-${sha256(text).slice(0, 12)}.${ending}`;
}
