import { hoursInput } from '../../domain/wall-clock.ts';
import { defineRoute } from '../../ports/route.ts';
import { shownHours } from '../remote/quiet-hours.ts';
import { deletedAnswer, hoursAnswer } from './answers.ts';
import { noteOf, type RouteDeps } from './deps.ts';

/** Hours in which the sync of a bot does nothing by itself. */
export function quietRoutes(deps: RouteDeps) {
  const { store, now, requireBot, onChange } = deps;
  const write = { who: ['operator'], permission: 'MANAGE_MAPPINGS' } as const;
  const note = noteOf(deps);
  const path = '/api/bots/{bot}/sync/quiet-hours';
  return [
    defineRoute({
      ...write,
      method: 'PUT',
      path,
      body: hoursInput,
      summary: 'Hours in which the sync does nothing by itself; what a person asks for goes on.',
      answer: hoursAnswer,
      async handle({ params, caller, body }) {
        const bot = await requireBot(params.bot);
        await store.quiet.put({ bot, ...body, by: caller.principal, at: now() });
        await note(caller, bot, 'quiet_hours_set', body);
        onChange(bot);
        return { json: (await shownHours(deps, bot)) ?? body };
      },
    }),
    defineRoute({
      ...write,
      method: 'DELETE',
      path,
      summary: 'Ends quiet hours: what waited for their end goes on now.',
      answer: deletedAnswer,
      async handle({ params, caller }) {
        const bot = await requireBot(params.bot);
        await store.quiet.remove(bot);
        await note(caller, bot, 'quiet_hours_ended');
        onChange(bot);
        return { json: { deleted: true } };
      },
    }),
  ];
}
