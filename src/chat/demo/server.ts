import type { DemoMessage } from './messages.ts';
import { talk } from './talk.ts';

/**
 * The demo model behind the wire of Chat Completions: the openai client cannot tell it from a server, so everything that a
 * real model takes, streaming and all, is taken by the demo too.
 */
export function createDemoFetch(): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    if (request.method !== 'POST' || !new URL(request.url).pathname.endsWith('/chat/completions'))
      return Response.json({ error: { message: 'The demo model only chats.' } }, { status: 404 });
    const body = (await request.json()) as Body; // sent by our own client
    const answer = talk(
      body.messages,
      (body.tools ?? []).map((tool) => tool.function.name),
    );
    const about = { id: `chatcmpl-${body.messages.length}`, object: 'chat.completion.chunk', model: body.model };
    const chunks = [
      ...(answer.text ?? '').split(/(?<=\s)/).map((content) => ({ content })),
      ...(answer.calls ?? []).map(({ name, args }, index) => ({
        tool_calls: [
          {
            index,
            id: `call_demo_${body.messages.length}_${index}`,
            type: 'function',
            function: { name, arguments: JSON.stringify(args) },
          },
        ],
      })),
    ].map((delta) => ({ ...about, choices: [{ index: 0, delta, finish_reason: null }] }));
    const finish = answer.calls === undefined ? 'stop' : 'tool_calls';
    const total = Math.ceil(JSON.stringify([body.messages, answer]).length / 4);
    const end = [
      { ...about, choices: [{ index: 0, delta: {}, finish_reason: finish }] },
      { ...about, choices: [], usage: { total_tokens: total } },
    ];
    const lines = [...chunks, ...end].map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`);
    return new Response(`${lines.join('')}data: [DONE]\n\n`, { headers: { 'content-type': 'text/event-stream' } });
  };
}

interface Body {
  readonly model: string;
  readonly messages: readonly DemoMessage[];
  readonly tools?: readonly { readonly function: { readonly name: string } }[];
}
