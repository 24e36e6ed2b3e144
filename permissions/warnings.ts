import type { Policy } from './policy.ts';
import type { Audience } from './profiles.ts';

/** What a policy does that its author may not have meant: it holds, and whoever saves it is told. */
export function policyWarnings({ chat }: Policy, audience: Audience): readonly string[] {
  return audience === 'internal' && chat.page && chat.anonymous
    ? [
        'This bot is an internal one, and its chat page is open to anyone without a sign-in (chat.page, chat.anonymous): whoever has the address uses its grants. Set chat.anonymous to false, or make a public bot for visitors.',
      ]
    : [];
}
