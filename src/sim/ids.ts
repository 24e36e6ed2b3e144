/** Record ids as Salesforce makes them: 15 case-sensitive characters, and the 18 form with three check characters. */

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const CHECKS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345';

/** The counter is written in ASCII order of the alphabet, so that ids sort in the order in which they were made. */
export function mintId(prefix: string, count: number, range = 0): string {
  return to18(`${prefix}5i${inAlphabet(range, 4)}${inAlphabet(count, 6)}`);
}

function inAlphabet(count: number, length: number): string {
  let digits = '';
  for (let rest = count; digits.length < length; rest = Math.floor(rest / 62)) digits = ALPHABET[rest % 62] + digits;
  return digits;
}

export function to18(id15: string): string {
  let checks = '';
  for (let group = 0; group < 3; group++) {
    let bits = 0;
    for (let k = 0; k < 5; k++) {
      const char = id15.charCodeAt(group * 5 + k);
      if (char >= 65 && char <= 90) bits |= 1 << k;
    }
    checks += CHECKS[bits];
  }
  return id15 + checks;
}

/** The 18 form of a well-formed id, or undefined. A wrong check part is a typing error, not another id. */
export function parseId(text: string): string | undefined {
  if (!/^[a-zA-Z0-9]{15}([a-zA-Z0-9]{3})?$/.test(text)) return undefined;
  const id = to18(text.slice(0, 15));
  return text.length === 15 || text.slice(15).toUpperCase() === id.slice(15) ? id : undefined;
}
