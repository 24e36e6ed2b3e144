export interface Part {
  readonly name: string;
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** The parts of a multipart/form-data body; undefined where it is none. */
export function partsOf(contentType: string, bytes: Uint8Array): readonly Part[] | undefined {
  const [, quoted, bare] = /^multipart\/form-data\s*;.*?boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType) ?? [];
  const boundary = quoted ?? bare;
  if (boundary === undefined) return undefined;
  const body = Buffer.from(bytes);
  const line = Buffer.from(`--${boundary}`, 'latin1');
  const parts: Part[] = [];
  let at = body.indexOf(line);
  for (;;) {
    if (at < 0) return undefined;
    const start = at + line.length;
    if (body.toString('latin1', start, start + 2) === '--') return parts;
    const next = body.indexOf(Buffer.concat([Buffer.from('\r\n'), line]), start);
    const blank = body.indexOf('\r\n\r\n', start);
    if (next < 0 || blank < 0 || blank > next) return undefined;
    const head = body.toString('latin1', start, blank);
    parts.push({
      name: /\bname="([^"]*)"/i.exec(head)?.[1] ?? '',
      type: /^content-type:\s*(\S+)/im.exec(head)?.[1] ?? 'text/plain',
      bytes: body.subarray(blank + 4, next),
    });
    at = next + 2;
  }
}
