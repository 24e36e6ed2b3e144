import { describe, expect, it } from 'vitest';
import { createAccumulator } from '../../src/chat/models/accumulate.ts';
import type { CallPiece, Delta } from '../../src/ports/model.ts';

describe('a streamed answer', () => {
  it('is put together from pieces, as OpenAI sends them [T1]', () => {
    expect(
      callsOf(
        { index: 0, id: 'a', name: 'GetAccount', args: '' },
        { index: 0, args: '{"name":' },
        { index: 0, args: '"Acme"}' },
        { index: 1, id: 'b', name: 'RunSOQL', args: '{"soql":' },
        { index: 1, args: '"x"}' },
      ),
    ).toEqual([
      { id: 'a', name: 'GetAccount', args: '{"name":"Acme"}' },
      { id: 'b', name: 'RunSOQL', args: '{"soql":"x"}' },
    ]);
  });

  it('holds calls whose server leaves the index out [T1]', () => {
    expect(
      callsOf(
        { id: 'a', name: 'GetAccount', args: '{"name":' },
        { args: '"Acme"}' },
        { id: 'b', name: 'GetAccount', args: '{"name":"Globex"}' },
      ),
    ).toEqual([
      { id: 'a', name: 'GetAccount', args: '{"name":"Acme"}' },
      { id: 'b', name: 'GetAccount', args: '{"name":"Globex"}' },
    ]);
  });

  it('holds two calls whose server uses index 0 for both: a new id begins a new call [T1]', () => {
    expect(
      callsOf(
        { index: 0, id: 'a', name: 'GetAccount', args: '{"name":"Acme"}' },
        { index: 0, id: 'b', name: 'GetAccount', args: '{"name":"Globex"}' },
      ).map(({ id }) => id),
    ).toEqual(['a', 'b']);
  });

  it('holds two calls at index 0 without ids: a new name, or the same after a whole object, begins a new call [T1]', () => {
    const calls = callsOf(
      { index: 0, name: 'GetAccount', args: '{"name":"Acme"}' },
      { index: 0, name: 'RunSOQL', args: '{"soql":"x"}' },
      { index: 0, name: 'RunSOQL', args: '{"soql":"y"}' },
    );
    expect(calls.map(({ name, args }) => [name, args])).toEqual([
      ['GetAccount', '{"name":"Acme"}'],
      ['RunSOQL', '{"soql":"x"}'],
      ['RunSOQL', '{"soql":"y"}'],
    ]);
    expect(new Set(calls.map(({ id }) => id)).size).toBe(3);
  });

  it('is one call where id and name come in every piece, or a new id per piece without a name [T1]', () => {
    expect(
      callsOf(
        { index: 0, id: 'a', name: 'GetAccount', args: '{"na' },
        { index: 0, id: 'a', name: 'GetAccount', args: 'me":"Acme"}' },
      ),
    ).toEqual([{ id: 'a', name: 'GetAccount', args: '{"name":"Acme"}' }]);
    expect(
      callsOf(
        { index: 0, id: 'a', name: 'GetAccount', args: '{"na' },
        { index: 0, id: 'z', name: '', args: 'me":"Acme"}' },
      ),
    ).toEqual([{ id: 'a', name: 'GetAccount', args: '{"name":"Acme"}' }]);
  });

  it('takes arguments that come as an object, and names that come late or empty [T1]', () => {
    expect(
      callsOf({ index: 0, id: 'a', name: '', args: null }, { index: 0, name: 'GetAccount', args: { name: 'Acme' } }),
    ).toEqual([{ id: 'a', name: 'GetAccount', args: '{"name":"Acme"}' }]);
  });

  it('makes an id where the server leaves it out or gives one twice, and a name that can go back on the wire [T1]', () => {
    expect(
      callsOf(
        { index: 0, name: 'functions.GetAccount:0', args: '{}' },
        { index: 1, id: 'a', name: 'X', args: '{}' },
        { index: 2, id: 'a', name: 'Y', args: '{}' },
        { index: 3, id: '', name: '', args: '' },
      ),
    ).toEqual([
      { id: 'made-1', name: 'functions_GetAccount_0', args: '{}' },
      { id: 'a', name: 'X', args: '{}' },
      { id: 'made-2', name: 'Y', args: '{}' },
    ]);
  });

  it('counts on what was sent, not on the finish reason: "stop" or none after calls [T1]', () => {
    const call = { index: 0, id: 'a', name: 'GetAccount', args: '{}' };
    for (const finish of ['stop', 'tool_calls', undefined, null])
      expect(whole({ calls: [call] }, { finish }).calls).toHaveLength(1);
    expect(whole({ text: 'Hel' }, { text: 'lo', finish: 'length', tokens: 12 })).toEqual({
      text: 'Hello',
      calls: [],
      kept: undefined,
      finish: 'length',
      isCut: true,
      tokens: 12,
    });
  });

  it('survives chunks with nothing in them', () => {
    expect(whole({}, { text: null, calls: null }, { calls: [] })).toEqual({
      text: '',
      calls: [],
      isCut: false,
      tokens: undefined,
    });
  });
});

function whole(...deltas: readonly Delta[]) {
  let made = 0;
  const accumulator = createAccumulator(() => {
    made += 1;
    return `made-${made}`;
  });
  for (const delta of deltas) accumulator.add(delta);
  return accumulator.completion();
}

function callsOf(...pieces: readonly CallPiece[]) {
  return whole(...pieces.map((piece) => ({ calls: [piece] }))).calls;
}
