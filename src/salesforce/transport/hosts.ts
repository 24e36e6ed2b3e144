/** Which hosts may ever see a secret: Salesforce's own, and the exact ones that an operator listed. Pure. */

/** The embedded simulated org: an address that means the same in every process. */
export const SIMULATED = 'sim:';
export const SIMULATED_ORIGIN = 'http://sim.localhost';

const OWNED = [
  'salesforce.com',
  'force.com',
  'cloudforce.com',
  'database.com',
  'salesforce.mil',
  'crmforce.mil',
  'sfcrmproducts.cn',
];
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

export type HostVerdict = { readonly origin: string } | { readonly problem: string; readonly next: string };

/** Judges a login or instance URL; a bare host name counts as https. Path and trailing slash are dropped. */
export function judgeHost(input: string, extraHosts: readonly string[]): HostVerdict {
  const text = input.trim();
  // What URL parsers drop or rewrite in silence (tabs, backslashes, userinfo, escapes, look-alike letters) is refused first.
  if (!/^[\x21-\x7e]{1,255}$/.test(text) || /[\\@%?#]/.test(text))
    return refused('it holds characters that a host address never needs');
  const url = parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`);
  if (!url) return refused('it is not a web address');
  if (extraHosts.includes(url.host)) {
    const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.has(url.hostname));
    return isSafe ? { origin: url.origin } : refused('a listed host needs https (http only on this machine)');
  }
  if (url.protocol !== 'https:') return refused('it is not https');
  if (url.port !== '') return refused('Salesforce answers on the standard port only');
  const owner = OWNED.find((domain) => url.hostname.endsWith(`.${domain}`));
  if (!owner || !/^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]+$/.test(url.hostname))
    return refused('it is not a Salesforce host');
  const lightning = /^(.+)\.lightning\.force\.com$/.exec(url.hostname);
  if (lightning)
    return {
      problem: 'it is the address of the Lightning pages, which nobody can sign in to from outside',
      next: `Use https://${lightning[1]}.my.salesforce.com instead.`,
    };
  return { origin: url.origin };
}

/** By the name alone; used where the org could not be asked. */
export function looksLikeSandbox(origin: string): boolean {
  const host = parse(origin)?.hostname ?? '';
  return host === 'test.salesforce.com' || host.includes('.sandbox.') || /^[^.]+--[^.]+\./.test(host);
}

function refused(problem: string): HostVerdict {
  return {
    problem,
    next: 'Use https://login.salesforce.com, https://test.salesforce.com or your My Domain (https://NAME.my.salesforce.com), or let an operator list the exact host in SALESFORCE_EXTRA_HOSTS.',
  };
}

function parse(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
