/** What the caller of `/_sim/` asked for cannot be done; the message says what is accepted. */
export class BadControl extends Error {}

type Body = Readonly<Record<string, unknown>>;

export function toObject(value: unknown, what: string): Body {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new BadControl(`${what} takes a JSON object.`);
  // A JSON object is a record of its keys.
  return value as Body;
}

export function onlyKeys(body: Body, known: readonly string[]): void {
  const strange = Object.keys(body).filter((key) => !known.includes(key));
  if (strange.length > 0) throw new BadControl(`Unknown: ${strange.join(', ')}. Accepted: ${known.join(', ')}.`);
}

export function texts(value: unknown, name: string): string[] {
  if (!Array.isArray(value) || !value.every((entry) => typeof entry === 'string'))
    throw new BadControl(`${name} is a list of texts.`);
  return value;
}

export function optionalText(value: unknown, name: string): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  throw new BadControl(`${name} is a text.`);
}

export function optionalNumber(value: unknown, name: string): number | undefined {
  if (value === undefined || (typeof value === 'number' && Number.isFinite(value) && value >= 0)) return value;
  throw new BadControl(`${name} is a number, zero or more.`);
}
