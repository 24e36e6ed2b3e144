import type { Search } from '../../domain/action.ts';
import { GatehouseError } from '../../domain/errors.ts';
import { fieldPath, objectName } from './find.ts';

/**
 * SOSL for the port's `search`. Every word is a quoted phrase, so that none is an operator, a wildcard or the end of the term; what is
 * sent is read once more and must hold these words and nothing else. Pure.
 */

const MOST_TERM = 200;
/** https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_sosl_find.htm */
const RESERVED = /[?&|!{}[\]()^~*:\\"'+-]/g;

export function toSosl({ text, scope, places }: Search): string {
  const words = wordsOf(text);
  const term = words.map((word) => `"${word.replace(RESERVED, '\\$&')}"`).join(' ');
  const returning = places.map(({ object, fields, limit }) => {
    const names = [...new Set(['Id', ...fields.map(fieldPath)])].join(', ');
    return `${objectName(object)}(${names} LIMIT ${Math.min(200, Math.max(1, Math.floor(limit)))})`;
  });
  const sosl = `FIND {${term}} IN ${scope.toUpperCase()} FIELDS RETURNING ${returning.join(', ')}`;
  const [read, rest] = readTerm(sosl);
  const isSame = read.length === words.length && read.every((word, at) => word === words[at]);
  if (isSame && rest === ` IN ${scope.toUpperCase()} FIELDS RETURNING ${returning.join(', ')}`) return sosl;
  throw notAsked('would change what is searched for');
}

function wordsOf(text: string): readonly string[] {
  if (text.length > MOST_TERM) throw notAsked(`has ${text.length} characters, at most ${MOST_TERM}`);
  // Controls and halves of a character are nobody's name; white space of any kind stands between words.
  const words = text.split(/\s+/u).filter((word) => word !== '');
  if (words.some((word) => /\p{Cc}|\p{Cs}/u.test(word))) throw notAsked('holds characters that are no text');
  if ((text.match(/[\p{L}\p{N}]/gu) ?? []).length < 2) throw notAsked('has less than two letters or digits');
  return words;
}

/** The term as Salesforce reads it: its quoted words, and what follows its closing brace. */
function readTerm(sosl: string): readonly [readonly string[], string] {
  const words: string[] = [];
  let at = 'FIND {'.length;
  for (;;) {
    const phrase = /"((?:[^"\\]|\\.)*)"( |\})/uy;
    phrase.lastIndex = at;
    const [whole, word, end] = phrase.exec(sosl) ?? [];
    if (whole === undefined || word === undefined || word.replace(/\\./g, '').search(RESERVED) !== -1)
      throw notAsked('would change what is searched for');
    words.push(word.replace(/\\(.)/g, '$1'));
    at += whole.length;
    if (end === '}') return [words, sosl.slice(at)];
  }
}

function notAsked(problem: string): GatehouseError {
  return new GatehouseError('invalid_input', `The words to search for cannot be used: the text ${problem}.`, {
    next: 'Ask the user for a name, an email address or a number as it is written, and call again.',
    fields: [{ name: 'term', problem }],
  });
}
