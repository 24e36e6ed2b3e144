import type { OperatorPermission } from '../../../permissions/catalog.ts';
import type { Html } from '../../console/html.ts';
import type { BrowserSession } from '../../ports/access.ts';

/** A console page as data, like a REST route: who may open it and what it shows. A POST needs the session's CSRF token. */
export interface Page {
  readonly method: 'GET' | 'POST';
  readonly path: `/${string}`;
  /** Missing: any signed-in operator. */
  readonly permission?: OperatorPermission;
  handle(call: PageCall): Promise<PageReply>;
}

export interface PageCall {
  readonly session: BrowserSession;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Empty on GET. */
  readonly form: URLSearchParams;
  readonly signal: AbortSignal;
  /** Where the browser reached us, without a slash at the end. */
  readonly origin: string;
}

export type PageReply =
  | { readonly goTo: string }
  | {
      readonly title: string;
      readonly body: Html;
      readonly here?: 'bots' | 'approvals';
      readonly status?: number;
      /** Where a form of this page may lead beside ourselves. */
      readonly formTargets?: readonly string[];
    };

/** For paths of our own making; the segments are encoded, so a name cannot become another path. */
export function pathTo(...segments: readonly string[]): string {
  return `/${segments.map(encodeURIComponent).join('/')}`;
}
