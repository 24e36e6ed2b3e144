import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { isRecord } from './is-record.ts';

/** JSON with sorted keys and without undefined: the same value always gives the same text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(inOrder(value));
}

/** Ordered first and written in one go: a replacer is called for every key, and this runs ten times a call. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (!isRecord(value)) return value;
  if (typeof value.toJSON === 'function') return inOrder(value.toJSON());
  // Without a prototype any name is a key like others.
  const ordered: Record<string, unknown> = Object.create(null);
  for (const key of Object.keys(value).sort()) ordered[key] = inOrder(value[key]);
  return ordered;
}

/** SHA-256 of the canonical JSON, hex. */
export function digestOf(value: unknown): string {
  return sha256(canonicalJson(value));
}

export function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

export function hmacSha256(key: string, text: string): string {
  return createHmac('sha256', key).update(text, 'utf8').digest('hex');
}

/** A key of its own for each purpose. */
export function deriveKey(secret: string | Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `gatehouse ${purpose}`, 32));
}

/** In a time that does not tell how much of a guess was right. */
export function isSameSecret(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** 32 hexadecimal digits of our own as a UUID of version 8, which is whatever its maker says; another form stays as it is. */
export function asUuid(id: string): string {
  if (!/^[0-9a-f]{32}$/.test(id)) return id;
  const variant = (8 + (Number.parseInt(id.charAt(16), 16) % 4)).toString(16);
  const digits = `${id.slice(0, 12)}8${id.slice(13, 16)}${variant}${id.slice(17)}`;
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
