import { sha256 } from '../domain/canonical-json.ts';

/** Nine letters and digits made from any id, always the same: the form that every server of Chat Completions reads. */
export function shortId(id: string): string {
  return /^[A-Za-z0-9]{9}$/.test(id) ? id : sha256(id).slice(0, 9);
}
