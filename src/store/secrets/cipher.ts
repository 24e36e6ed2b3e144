import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { deriveKey } from '../../domain/canonical-json.ts';
import type { Cipher } from '../../ports/cipher.ts';

const IV_BYTES = 12;
const TAG_BYTES = 16;
/** In front of every encrypted text: a later form can be told apart. */
const FORM = 'v1.';

/** AES-256-GCM under a key derived from the secret for one purpose. What was encrypted for another purpose does not open. */
export function createCipher(secret: string | Buffer, purpose: string): Cipher {
  const key = deriveKey(secret, purpose);
  return {
    encrypt(text) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, iv);
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return FORM + Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url');
    },

    decrypt(encrypted) {
      if (!encrypted.startsWith(FORM)) throw new Error('This text was not encrypted by us.');
      const bytes = Buffer.from(encrypted.slice(FORM.length), 'base64url');
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
      decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
      return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8');
    },
  };
}
