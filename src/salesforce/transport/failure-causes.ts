import { type Row, rowOf, UNKNOWN } from './failure-table.ts';

/**
 * Causes that code and status alone would tell wrong: one code has several, and its text tells them apart; or a page of
 * something in between bears a status that means something else at Salesforce.
 */

interface Cause {
  readonly code: RegExp;
  readonly text: RegExp;
  readonly row: Row;
}

const CAUSES: readonly Cause[] = [
  {
    code: /^INVALID_SESSION_ID$/,
    text: /not valid for use with the .{0,20}API/i,
    row: {
      code: 'reconnect_needed',
      message: 'The org does not allow this sign-in to be used with the API.',
      next: 'Tell the operator: reconnecting alone will not help, a setting of the org keeps this session from the API.',
      operator:
        'Reconnecting alone will not help. In the org check: "IP Relaxation" in the policies of the app and the login IP ranges of the user\'s profile; "Session Security Level" (high assurance) in the session settings and the app; "API Enabled" of the user. Then reconnect.',
      inSync: { then: 'wait' },
    },
  },
  {
    code: /^REQUEST_LIMIT_EXCEEDED$/,
    text: /concurrent/i,
    row: {
      ...rowOf('REQUEST_LIMIT_EXCEEDED'),
      message: 'Too many long requests run in this Salesforce org at the same moment.',
      next: 'Try again in a minute.',
      operator:
        'Not the daily allowance: other programs keep long requests open. See Setup, Concurrent Request Limits.',
    },
  },
  {
    code: /^NOT_FOUND$/,
    text: /external ID field does not exist/i,
    row: {
      code: 'invalid_input',
      message: 'The external-id field does not exist in this org, or the connected user may not see it.',
      next: 'Tell the operator which field the quote names.',
      operator:
        'Create the field named in the quote as an external id, or give the connected user access to it (field-level security).',
    },
  },
  {
    code: /^INVALID_FIELD$/,
    text: /can ?not be (filtered|sorted|grouped|aggregated)|is not (filterable|sortable|groupable)/i,
    row: {
      code: 'invalid_input',
      message: 'A field can be read in this org but not searched or sorted by.',
      next: 'Look the record up by another field.',
      operator:
        'Encrypted, long and calculated fields cannot be filtered by: use another field for looking up. Access is not the reason.',
    },
  },
  {
    code: /^(UNSUPPORTED_API_VERSION|INVALID_API_VERSION)$|^NOT_FOUND$/,
    text: /api version|version .{0,40}(not supported|retired|no longer)/i,
    row: {
      code: 'config_invalid',
      message: 'This Salesforce org does not have the API version that Gatehouse speaks.',
      next: 'Tell the operator to set another API version.',
      operator:
        'Set SALESFORCE_API_VERSION to a version that the org has (GET /services/data lists them) and start Gatehouse again.',
      inSync: { then: 'wait' },
    },
  },
];

/** What sits between here and Salesforce asks for a sign-in of its own, or shuts us out, with a page. */
export const PAGE: Row = {
  code: 'salesforce_unavailable',
  message: 'Something between here and Salesforce answered with a page of its own.',
  next: 'Try again in a minute; if it stays so, tell the operator.',
  operator:
    'A proxy, a firewall or an old address of the org answered instead of its API: check the way from here to the address of the org.',
  retryable: true,
  inSync: { then: 'retry' },
};

/** The row of a cause that the text tells, or undefined where the code says it all. */
export function causeOf(said: { readonly code: string; readonly message: string }): Row | undefined {
  return CAUSES.find(({ code, text }) => code.test(said.code) && text.test(said.message))?.row;
}

/** Without an error of Salesforce's own a page means what is between us and it, whatever status it bears; a 5xx is Salesforce away. */
export function pageOf(status: number, contentType: string | null): Row | undefined {
  if (status === 511) return PAGE;
  return status < 500 && contentType?.includes('text/html') ? PAGE : undefined;
}

/** Statuses that say more than a code nobody knows. */
export function saysMore(status: number): boolean {
  return status >= 500 || [401, 410, 414, 420, 429, 431].includes(status);
}

/** The org does not list the version; `newest` is what it does have. */
export function noSuchVersion(version: string, newest: string): Row {
  const plain = version.replace(/^v/, '');
  return {
    ...UNKNOWN,
    code: 'config_invalid',
    message: `This Salesforce org does not have API version ${plain}; the newest it has is ${newest}.`,
    next: `Tell the operator to set SALESFORCE_API_VERSION to ${newest} or lower; nothing was done.`,
    operator: `Set SALESFORCE_API_VERSION=${newest} (or lower) and start Gatehouse again. A preview org gets new versions earlier than production.`,
    inSync: { then: 'wait' },
  };
}
