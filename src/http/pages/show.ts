import { type Frame, page, shell } from '../../console/layout.ts';
import { problemView } from '../../console/problem.ts';
import type { GatehouseError } from '../../domain/errors.ts';
import { httpFacts } from '../../domain/http-refusal.ts';
import { assetOf } from '../assets.ts';
import { pageCsp } from '../headers.ts';
import type { PageReply } from './page.ts';

export function show(reply: Exclude<PageReply, { goTo: string }>, around: Omit<Frame, 'files'>): Response {
  const files = { style: assetOf('style').path, script: assetOf('plain').path };
  return new Response(page(reply.title, { ...around, files }, reply.body), {
    status: reply.status ?? 200,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': pageCsp({ formTargets: reply.formTargets }),
    },
  });
}

/** The frame in which the app draws. Nothing in it is anybody's, so that no script is needed to keep it apart. */
export function showShell(): Response {
  const { path, imports } = assetOf('console');
  return new Response(shell({ style: assetOf('style').path, script: path, imports }), {
    headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': pageCsp() },
  });
}

/** An error for a person with a browser. */
export function errorPage(error: GatehouseError, isSimulated: boolean): Response {
  const { status, headers } = httpFacts(error);
  const response = show({ title: 'Not possible', body: problemView(error), status }, { isSimulated });
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  return response;
}

/** People get pages, programs JSON; the API and MCP speak JSON to everybody. */
export function isForPerson(request: Request): boolean {
  const { pathname } = new URL(request.url);
  return !/^\/(api|mcp)(\/|$)/.test(pathname) && (request.headers.get('accept') ?? '').includes('text/html');
}
