import type { Hono } from 'hono';
import { chatPage } from '../../console/chat-page.ts';
import { assetOf } from '../assets.ts';
import type { HttpDeps } from '../deps.ts';
import { pageCsp } from '../headers.ts';
import type { Env } from '../hono-env.ts';
import { openChatOf } from '../routes/chat.ts';

/** The chat page of a bot, for people who are no operators: it says nothing but its name and what it can be asked. */
export function mountChat(app: Hono<Env>, deps: HttpDeps): readonly { method: string; path: string }[] {
  app.get('/chat/:bot', async (c) => {
    c.set('route', '/chat/{bot}');
    const { name, audience, policy } = await openChatOf(deps, c.req.param('bot'));
    const { isDemo, isSimulated } = (await deps.openChat()).about;
    const may = new Set((await deps.gate.actions(name)).map((action) => action.name));
    const { frameOrigins, anonymous } = policy.chat;
    const { words } = policy;
    const page = chatPage({
      files: {
        styles: [assetOf('style').path, assetOf('chat-style').path],
        script: assetOf('chat').path,
      },
      bot: name,
      name: words.name ?? name,
      greeting: words.greeting,
      isDemo,
      isSimulated,
      anonymous,
      isInternal: audience === 'internal',
      frameOrigins,
      // They name records of the simulated org; another org has others.
      // Strangers are answered about their own account alone, which only the site can say.
      starters:
        words.starters.length > 0
          ? words.starters
          : isSimulated
            ? STARTERS.filter(({ needs }) => may.has(needs) && (audience !== 'public' || needs === 'CreateLead')).map(
                ({ words }) => words,
              )
            : [],
    });
    return c.body(page, 200, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': pageCsp({ frameOrigins }),
    });
  });

  return [{ method: 'GET', path: '/chat/{bot}' }];
}

const STARTERS = [
  { needs: 'CreateLead', words: 'I’d like to hear about your enterprise plan' },
  { needs: 'GetAccount', words: 'What is the status of OPP-123?' },
  { needs: 'UpdateOpportunity', words: 'Move OPP-456 to Closed Won' },
  { needs: 'RunSOQL', words: 'How many opportunities did we win this quarter?' },
];
