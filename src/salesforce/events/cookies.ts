/** Cookies of one event stream. They go back byte for byte: a value encoded anew is another client's, and the stream is gone. */
export interface Jar {
  keep(lines: readonly string[]): void;
  /** The `Cookie` header; undefined where there is none. */
  header(): string | undefined;
  clear(): void;
}

const MOST = 20;
const LONGEST = 4_096;

export function createJar(): Jar {
  const cookies = new Map<string, string>();
  return {
    keep(lines) {
      for (const line of lines) {
        const pair = /^[^;]*/.exec(line)?.[0].trim() ?? '';
        const at = pair.indexOf('=');
        if (at <= 0 || pair.length > LONGEST || !/^[\x20-\x7e]*$/.test(pair)) continue;
        const name = pair.slice(0, at);
        if (/;\s*max-age=(0|-\d+)\s*(;|$)/i.test(line)) cookies.delete(name);
        else if (cookies.has(name) || cookies.size < MOST) cookies.set(name, pair);
      }
    },
    header: () => (cookies.size === 0 ? undefined : [...cookies.values()].join('; ')),
    clear: () => cookies.clear(),
  };
}
