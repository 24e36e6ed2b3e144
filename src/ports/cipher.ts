/** Small secrets at rest. */
export interface Cipher {
  encrypt(text: string): string;
  /** Throws on anything that was not encrypted with this secret, for this purpose, whole. */
  decrypt(encrypted: string): string;
}
