import { describe, expect, it } from 'vitest';
import type { DemoMessage } from '../../src/chat/demo/messages.ts';
import { talk } from '../../src/chat/demo/talk.ts';
import { OUTCOME } from '../../src/ports/model.ts';
import { createChatWorld } from '../support/chat.ts';

const TOOLS = ['CreateLead', 'GetAccount', 'UpdateOpportunity', 'RunSOQL'];
const user = (content: string): DemoMessage => ({ role: 'user', content });
const hello: readonly DemoMessage[] = [user('hi'), { role: 'assistant', content: 'Hello.' }];
const reply = (text: string, before: readonly DemoMessage[] = hello) => talk([...before, user(text)], TOOLS);
const changes = (text: string, before?: readonly DemoMessage[]) =>
  (reply(text, before).calls ?? []).map(({ name, args }) => (name === 'UpdateOpportunity' ? args : { [name]: args }));

/** A proposal that waits. */
const waiting = (args: object): readonly DemoMessage[] => [
  ...hello,
  user('order'),
  {
    role: 'assistant',
    tool_calls: [{ id: 'a', function: { name: 'UpdateOpportunity', arguments: JSON.stringify(args) } }],
  },
  { role: 'tool', tool_call_id: 'a', content: '{"status":"waiting"}' },
  { role: 'assistant', content: 'It waits.' },
];

describe('the demo model', () => {
  it.each([
    [
      'Move OPP-123 to Closed Won and OPP-456 to Closed Lost',
      [
        { reference: 'OPP-123', stageName: 'Closed Won' },
        { reference: 'OPP-456', stageName: 'Closed Lost' },
      ],
    ],
    [
      'Set OPP-1 to Qualification, OPP-2 to Closed Won and OPP-3 to Closed Lost',
      [
        { reference: 'OPP-1', stageName: 'Qualification' },
        { reference: 'OPP-2', stageName: 'Closed Won' },
        { reference: 'OPP-3', stageName: 'Closed Lost' },
      ],
    ],
    [
      'Move OPP-123 and OPP-456 to Closed Won',
      [
        { reference: 'OPP-123', stageName: 'Closed Won' },
        { reference: 'OPP-456', stageName: 'Closed Won' },
      ],
    ],
  ])('takes several orders for several, in order: %s [U7]', (text, args) => {
    expect(changes(text)).toEqual(args);
  });

  it('keeps what a correction does not speak of, while the card is open [U7]', () => {
    const card = waiting({ reference: 'OPP-123', stageName: 'Closed Won', amount: 90_000 });
    expect(changes('no wait, make it 95,000', card)).toEqual([
      { reference: 'OPP-123', stageName: 'Closed Won', amount: 95_000 },
    ]);
    expect(changes('actually, Closed Lost instead', card)).toEqual([
      { reference: 'OPP-123', stageName: 'Closed Lost', amount: 90_000 },
    ]);
    expect(changes('make OPP-123 Closed Lost', waiting({ reference: 'OPP-9', amount: 1 }))).not.toContainEqual(
      expect.objectContaining({ amount: 1 }),
    );
    const over = [...card, user(`${OUTCOME} UpdateOpportunity: {"status":"declined"}`), ...hello.slice(1)];
    expect(changes('make it 95,000', over)).toEqual([{ reference: 'OPP-123', amount: 95_000 }]);
  });

  it('answers the question behind a "forget it" [U7]', () => {
    const card = waiting({ reference: 'OPP-9', amount: 1 });
    for (const off of ['no, forget it.', 'Never mind.', 'stop!', 'Cancel that;']) {
      const answer = reply(`${off} What is the status of OPP-123?`, card);
      expect([off, answer.calls]).toEqual([off, [{ name: 'GetAccount', args: { opportunity: 'OPP-123' } }]]);
      expect(answer.text).toContain('I leave it');
    }
    expect(reply('Never mind', card)).toEqual({ text: expect.stringContaining('I leave it') });
  });

  it('asks where it does not know what becomes of a deal [U7]', () => {
    for (const text of ['Change OPP-123', 'Move OPP-123 and tell me the status of OPP-456'])
      expect(reply(text).text).toContain('What shall I change on OPP-123');
  });

  it('tells how a decision ended that came after the talk had gone on [N7]', () => {
    const told = `${OUTCOME} UpdateOpportunity: {"status":"declined"}`;
    expect(reply(told).text).toContain('declined');
    const both = reply(`${told}\n\nWhat is the status of OPP-123?`);
    expect(both.text).toContain('declined');
    expect(both.calls).toEqual([{ name: 'GetAccount', args: { opportunity: 'OPP-123' } }]);
  });
});

describe('a history', () => {
  it('holds no call that the model did not make, also when a card is decided later [N7]', async () => {
    await using talked = await createChatWorld();
    const { cards } = await talked.say('Move OPP-456 to Closed Won');
    await talked.say('What is the status of OPP-123?');
    const decided = await talked.answer(cards[0], { answer: 'approve' });
    expect(decided.receipts).toMatchObject([{ status: 'done' }]);
    expect(decided.text).toContain('is updated');
    const messages = await talked.world.app.store.conversations.messages(talked.id);
    const calls = messages.flatMap(({ message }) => JSON.parse(message).calls ?? []);
    expect(calls.map(({ name }: { name: string }) => name)).toEqual(['UpdateOpportunity', 'GetAccount']);
    expect((await talked.read()).entries.filter(({ kind }) => kind === 'receipt')).toHaveLength(1);
  });
});

describe('a visitor of a public bot', () => {
  it('reads no words for operators and no internal address, from the demo model or from an error [U11]', async () => {
    await using talked = await createChatWorld({
      audience: 'public',
      grants: ['CREATE_LEAD', 'READ_ACCOUNT'],
      session: 'CUST-1001',
    });
    const said = [
      await talked.say('hello'),
      await talked.say('Move OPP-456 to Closed Won'),
      await talked.say('What is the status of OPP-123?'),
      await talked.say('Who is Acme Industries?'),
    ];
    const words = said.map(({ text, errors }) => text + JSON.stringify(errors)).join('\n');
    expect(words).not.toMatch(/OPENAI|operator|grant|gatehouse \w|https?:|simulated org|lightning/i);
    await using broken = await createChatWorld({
      audience: 'public',
      grants: ['CREATE_LEAD'],
      baseUrl: 'http://127.0.0.1:9/v1',
    });
    const { errors } = await broken.say('hello');
    expect(errors).toMatchObject([{ message: 'I cannot answer right now.' }]);
    expect(JSON.stringify(errors)).not.toMatch(/operator|OPENAI|127\.0\.0\.1/);
  });
});
