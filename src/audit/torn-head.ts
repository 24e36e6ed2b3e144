import { HEAD_LENGTH } from './chain-head.ts';

/**
 * A kept head that is signed by nobody: a process or machine that ended amid its write leaves the beginning of one line before
 * the end of the line that stood there. It counts where every letter of it is such: all of it then was signed by us, for two rows that
 * the chain has, in their order. Whoever puts it there without our key has old lines alone, which prove as much by themselves.
 */
export function createTornHead(text: string): { isOf(line: string): boolean } {
  const torn = text.padEnd(HEAD_LENGTH);
  /** From where on it is the end of a row's line, of those seen so far. */
  let from = HEAD_LENGTH;
  return {
    /** To be asked row by row, in their order: whether this one's line is what was being written. */
    isOf(signed) {
      const line = signed.padEnd(HEAD_LENGTH);
      if (torn.length !== HEAD_LENGTH) return false;
      let same = 0;
      while (same < HEAD_LENGTH && torn[same] === line[same]) same += 1;
      if (same >= from) return true;
      let end = HEAD_LENGTH;
      while (end > 0 && torn[end - 1] === line[end - 1]) end -= 1;
      from = Math.min(from, end);
      return false;
    },
  };
}
