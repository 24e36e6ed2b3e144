/**
 * Ids that sort by time, also within one millisecond of one process. They are shown as UUIDs of version 7 that hold the same
 * three parts, so they sort alike: what stands in the database is the order, what people and their tables get is the UUID.
 */
export function createLogIds(now: () => number, newId: () => string): () => string {
  let lastAt = 0;
  let count = 0;
  return () => {
    const at = Math.max(now(), lastAt);
    count = at === lastAt ? count + 1 : 0;
    lastAt = at;
    return `${logIdAt(at)}-${count.toString(36).padStart(5, '0')}-${newId().replaceAll('-', '').slice(0, 12)}`;
  };
}

/** What the ids of rows of this millisecond begin with. */
export const logIdAt = (at: number): string => at.toString(36).padStart(9, '0');

const PARTS = /^([0-9a-z]{9})-([0-9a-z]{5})-([0-9a-f]{12})$/;
const UUID = /^([0-9a-f]{8})-([0-9a-f]{4})-7([0-9a-f]{3})-([89ab])([0-9a-f]{3})-([0-9a-f]{12})$/i;

/** 48 bits of time, 26 that count, 48 at random: all that a UUID has room for. */
export function toUuid(id: string): string {
  const [, time = '', counted = '', random = ''] = PARTS.exec(id) ?? [];
  if (random === '') return id;
  const at = hex(Number.parseInt(time, 36), 12);
  const count = Number.parseInt(counted, 36);
  const low = count % 0x4000;
  return [
    at.slice(0, 8),
    at.slice(8),
    `7${hex(Math.floor(count / 0x4000), 3)}`,
    `${hex(8 + Math.floor(low / 0x1000), 1)}${hex(low % 0x1000, 3)}`,
    random,
  ].join('-');
}

/** The id as it is stored, of either form; undefined for what is none. */
export function toLogId(text: string): string | undefined {
  if (/^[0-9a-z]{9}-[0-9a-z]{5}-[\w-]{1,12}$/.test(text)) return text;
  const [, high, low, upper = '', variant = '', lower = '', random = ''] = UUID.exec(text) ?? [];
  if (random === '') return undefined;
  const count =
    Number.parseInt(upper, 16) * 0x4000 + (Number.parseInt(variant, 16) - 8) * 0x1000 + Number.parseInt(lower, 16);
  const counted = count.toString(36).padStart(5, '0');
  return `${logIdAt(Number.parseInt(`${high}${low}`, 16))}-${counted}-${random.toLowerCase()}`;
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
