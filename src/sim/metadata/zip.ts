import { crc32, inflateRawSync } from 'node:zlib';

/** The files of a zip, by its central directory: stored or deflated, as any tool writes them. Throws what is wrong with it. */
export function readZip(bytes: Uint8Array): ReadonlyMap<string, string> {
  const zip = Buffer.from(bytes);
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  if (end < 0 || end + 22 > zip.length) throw new Error('not a zip file');
  const files = new Map<string, string>();
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    if (at + 46 > end || zip.readUInt32LE(at) !== 0x02014b50) throw new Error('the directory of the zip is broken');
    const [method, sum, size] = [zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 16), zip.readUInt32LE(at + 20)];
    const [nameSize, extraSize, noteSize] = [28, 30, 32].map((place) => zip.readUInt16LE(at + place)) as [
      number,
      number,
      number,
    ];
    const local = zip.readUInt32LE(at + 42);
    const name = zip.toString('utf8', at + 46, at + 46 + nameSize);
    at += 46 + nameSize + extraSize + noteSize;
    if (name.endsWith('/')) continue;
    if (local + 30 > zip.length || zip.readUInt32LE(local) !== 0x04034b50) throw new Error(`${name} is not in the zip`);
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const packed = zip.subarray(start, start + size);
    if (method !== 0 && method !== 8) throw new Error(`${name} is packed in a way that is not known`);
    const content = method === 0 ? packed : inflateRawSync(packed, { maxOutputLength: mostBytes });
    if (crc32(content) !== sum) throw new Error(`${name} is damaged`);
    files.set(name, content.toString('utf8'));
  }
  return files;
}

/** Salesforce takes 400 MB; nobody sends a simulated org that. */
const mostBytes = 16 * 1024 * 1024;
