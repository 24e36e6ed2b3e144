import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const IV_BYTES = 12;
const TAG_BYTES = 16;
/** In front of every sealed text: a later form can be told apart. */
const FORM = 'v1.';

/** AES-256-GCM under a key derived from the secret for one purpose. What was sealed for another purpose does not open. */
export interface SealedText {
  seal(text: string): string;
  /** Throws on anything that was not sealed with this secret, whole. */
  open(sealed: string): string;
}

export function createSealedText(secret: string | Buffer, purpose: string): SealedText {
  const key = deriveKey(secret, purpose);
  return {
    seal(text) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, iv);
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return FORM + Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
    },

    open(sealed) {
      if (!sealed.startsWith(FORM)) throw new Error('This text was not sealed by us.');
      const bytes = Buffer.from(sealed.slice(FORM.length), 'base64url');
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
      decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
      return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8');
    },
  };
}

export function deriveKey(secret: string | Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `gatehouse ${purpose}`, 32));
}
