/** How often texts were seen, by hashes of 53 bits in a typed array: a million weigh eight megabytes. Two texts may share one. */
export class TextCounts {
  #values = new Float64Array(1_024);
  #length = 0;
  #isSorted = true;

  add(text: string): void {
    if (this.#length === this.#values.length) {
      const larger = new Float64Array(this.#length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = hashOf(text);
    this.#isSorted = false;
  }

  has(text: string): boolean {
    return this.count(text) > 0;
  }

  /** At most two: once, or several times. */
  count(text: string): 0 | 1 | 2 {
    const hash = hashOf(text);
    const at = this.#first(hash);
    if (this.#values[at] !== hash || at >= this.#length) return 0;
    return this.#values[at + 1] === hash && at + 1 < this.#length ? 2 : 1;
  }

  /** How many different ones there are. */
  distinct(): number {
    this.#sort();
    let count = 0;
    for (let at = 0; at < this.#length; at++) if (at === 0 || this.#values[at] !== this.#values[at - 1]) count++;
    return count;
  }

  #first(hash: number): number {
    this.#sort();
    let [low, high] = [0, this.#length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#values[middle] ?? 0) < hash) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #sort(): void {
    if (!this.#isSorted) this.#values.subarray(0, this.#length).sort();
    this.#isSorted = true;
  }
}

/** 53 bits of a text, of which doubles hold every one: two rounds of FNV-1a with their bits mixed. */
function hashOf(text: string): number {
  let one = 0x811c9dc5;
  let other = 0x9747b28c;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    one = Math.imul(one ^ code, 0x01000193);
    other = Math.imul(other ^ code, 0x85ebca6b);
    other ^= other >>> 13;
  }
  one ^= one >>> 16;
  return (one >>> 0) * 0x200000 + ((other ^ (other >>> 16)) >>> 11);
}
