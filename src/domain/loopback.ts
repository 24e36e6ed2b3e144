/** What this machine calls itself. Pure: no name is looked up. */

/** As a URL or a Host header has it, without a port. */
export function isLoopbackName(name: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(name);
}

/** As a socket has it: an IPv4 caller of a dual-stack one is that caller. */
export function isLoopbackAddress(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127(\.\d{1,3}){3}$/i.test(address);
}

/** Others reach it under its public address: then a proxy stands before it, and its socket proves nothing. */
export function isPublic({ url }: { readonly url: string | undefined }): boolean {
  return url !== undefined && !isLoopbackName(new URL(url).hostname);
}

/** An address at which people may sign in: their codes and tokens cross no network in the clear. */
export function isSafeOrigin(origin: string): boolean {
  const { protocol, hostname } = new URL(origin);
  return protocol === 'https:' || isLoopbackName(hostname);
}
