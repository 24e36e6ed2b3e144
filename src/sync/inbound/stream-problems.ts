import { type ErrorBody, GatehouseError, toErrorBody } from '../../domain/errors.ts';
import { isEventObject } from '../../domain/subscription.ts';
import type { StreamFailure } from '../../ports/events.ts';

/** Why events do not come, and what somebody does about it. The poll brings the changes meanwhile. */

const MEANWHILE = 'Changes arrive by polling meanwhile.';

export function refusalOf(
  channel: string,
  objects: readonly string[],
  { kind, quote }: StreamFailure,
): ErrorBody['error'] {
  const object = objects.join(', ');
  if (objects.some(isEventObject)) return eventRefusal(object, kind, quote);
  switch (kind) {
    case 'no_channel':
      if (channel.endsWith('__chn'))
        return told(
          // Somebody named it: unlike an object that nobody selected, its absence is a problem.
          'conflict',
          `Salesforce has no channel ${channel} of change events, or it carries no object.`,
          `Look at its name in Salesforce (custom channels are made over the API), or take "channel" out of the mapping or subscription of ${object}. ${MEANWHILE}`,
          quote,
        );
      return told(
        'not_found',
        `Salesforce tells no changes of ${object}: it is not selected for Change Data Capture.`,
        `In Salesforce: Setup, Change Data Capture, move ${object} to Selected Entities, Save (five are free of charge). ${MEANWHILE}`,
        quote,
      );
    case 'no_right':
      return told(
        'permission_denied',
        `The connected user may not be told of all changes of ${object}.`,
        `Give it View All Records on ${object} by a permission set; View All Data is more than it needs. ${MEANWHILE}`,
        quote,
      );
    default:
      return told(
        'salesforce_error',
        `Salesforce refuses the event stream of ${object}.`,
        `It is tried again every hour; if it stays, it is a bug of Gatehouse: report it with this text. ${MEANWHILE}`,
        quote,
      );
  }
}

/** Nothing else brings a platform event. */
function eventRefusal(object: string, kind: StreamFailure['kind'], quote: string): ErrorBody['error'] {
  if (kind === 'no_channel')
    return told(
      // Not `not_found`, which is no problem of an object that is polled.
      'conflict',
      `Salesforce has no platform event ${object}, or no such channel.`,
      'In Salesforce: Setup, Platform Events: look at its API name (or the channel), and set the subscription again. Tried every hour.',
      quote,
    );
  if (kind === 'no_right')
    return told(
      'permission_denied',
      `The connected user may not read the platform event ${object}.`,
      `Give it Read on ${object} by a permission set (Object Settings). Tried every hour; events are kept for three days.`,
      quote,
    );
  return told(
    'salesforce_error',
    `Salesforce refuses the stream of the platform event ${object}.`,
    'It is tried again every hour; if it stays, it is a bug of Gatehouse: report it with this text.',
    quote,
  );
}

export function limitError(why: 'client_limit' | 'delivery_limit', quote: string): ErrorBody['error'] {
  return why === 'client_limit'
    ? told(
        'limit_reached',
        'As many clients listen to events of this org as it allows.',
        `It is tried again by itself. Close what nobody needs: other integrations, and Lightning pages that listen. ${MEANWHILE}`,
        quote,
      )
    : told(
        'limit_reached',
        "The org's daily allowance of event deliveries is used up, by all subscribers together.",
        `It is tried again by itself. Select fewer objects, or let fewer clients listen. ${MEANWHILE}`,
        quote,
      );
}

function told(code: ErrorBody['error']['code'], message: string, next: string, quote: string): ErrorBody['error'] {
  const salesforce = { code: quote.slice(0, 3), fields: [], quote };
  return toErrorBody(new GatehouseError(code, message, { next, salesforce })).error;
}
