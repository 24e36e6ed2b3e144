import { isRecord } from '../../domain/is-record.ts';
import { oneLine } from '../../domain/safe-text.ts';
import { byStatus } from './failure-table.ts';
import { failureOf, type Said, saidIn, toFailure } from './failures.ts';
import type { Answer } from './http.ts';
import { UpstreamError } from './upstream-error.ts';

/**
 * Answers of code that somebody wrote in the org: a class may answer any status with any body, and a flow names its failure in a form of
 * its own. Only what Salesforce itself says in its place is a failure of the request; the rest is that code's answer.
 */

const APEX = '/services/apexrest/';
const FLOW = /^\/services\/data\/v[\d.]+\/actions\/custom\/flow\//;

/** What answers here is asked once: nobody can tell what a second time would do. */
export const isOrgCode = (path: string): boolean =>
  path.startsWith(APEX) || FLOW.test(path) || /^\/services\/data\/v[\d.]+\/sobjects\/\w+__e$/i.test(path);

/** `isRead`: the method is GET, after whose loss nothing is in doubt. */
export function failureOfOrgCode(path: string, answer: Answer, isRead: boolean): UpstreamError | undefined {
  if (path.startsWith(APEX)) return apexFailure(answer, isRead);
  const { json, status } = answer;
  const [first]: readonly unknown[] = FLOW.test(path) && Array.isArray(json) ? json : [];
  if (isRecord(first) && first.isSuccess === false) return flowFailure(first, status);
  return toFailure(answer, isRead);
}

function apexFailure(answer: Answer, isRead: boolean): UpstreamError | undefined {
  const { status, json } = answer;
  const isPage = answer.header('content-type')?.includes('html') === true;
  // The form in which Salesforce itself speaks; a class that answers so speaks for it.
  const said = Array.isArray(json) ? saidIn(answer) : [];
  const [first] = said;
  if (first === undefined)
    return isPage || status >= 500 || status === 401 ? (toFailure(answer, isRead) ?? page(isRead)) : undefined;
  if (status < 300) return undefined;
  if (first.code === 'NOT_FOUND' && /match for URL/i.test(first.message))
    return refused('not_found', 'No Apex class of the org answers at this path for this method.', first, {
      next: 'Tell the operator: the class is not deployed there, its namespace is missing in the path, or its mapping lacks /*.',
    });
  if (first.code === 'FORBIDDEN')
    return refused('permission_denied', 'The connected Salesforce user may not use this Apex class.', first, {
      next: 'Tell the operator: give the user a permission set with access to the class. Do not retry.',
    });
  if (first.code === 'APEX_ERROR')
    return refused(
      'salesforce_error',
      'The Apex class stopped with an error; Salesforce took its changes of records back.',
      first,
      {
        next: 'Tell the user that it did not work and the operator what the class says. Do not repeat it as it is.',
      },
    );
  return failureOf(said, status, isRead, answer.header('content-type'));
}

/** A page with 200 comes from something in between. */
function page(isRead: boolean): UpstreamError {
  const { code, message, next } = byStatus(503);
  return new UpstreamError(code, message, { next, outcome: isRead ? 'refused' : 'unknown', infrastructure: true });
}

function flowFailure({ errors }: Readonly<Record<string, unknown>>, status: number): UpstreamError {
  const said = saidIn({ json: errors, text: '' });
  const first = said[0] ?? { code: 'FLOW_ERROR', message: 'The flow did not say why.', fields: [] };
  return refused(
    status === 404 ? 'not_found' : 'salesforce_error',
    'The flow did not succeed; Salesforce took its changes back.',
    first,
    {
      next: 'Tell the user that it did not work and the operator what the flow says. Do not repeat it as it is.',
    },
  );
}

/** Its first line: what follows names classes and lines of code. */
function refused(
  code: 'not_found' | 'permission_denied' | 'salesforce_error',
  message: string,
  first: Said,
  { next }: { readonly next: string },
): UpstreamError {
  const quote = oneLine(first.message.split('\n')[0] ?? '');
  return new UpstreamError(code, message, {
    next,
    outcome: 'refused',
    salesforce: { code: oneLine(first.code), fields: [], quote },
  });
}
