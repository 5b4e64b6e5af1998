/**
 * Reads the values of a D-Bus message's body, little-endian, in their order (D-Bus specification 0.43, "Marshaling"). Only relative imports: it runs in
 * keychain-process.ts. Throws `RangeError` beyond the end.
 */
export class DBusReader {
  readonly #body: Buffer;
  #at = 0;

  constructor(body: Buffer) {
    this.#body = body;
  }

  /** An array of object paths. */
  paths(): string[] {
    const end = this.#arrayEnd(4);
    const paths: string[] = [];
    while (this.#at < end) paths.push(this.#text());
    return paths;
  }

  /** A variant that holds a dictionary of texts. */
  textsByName(): ReadonlyMap<string, string> {
    const size = this.#body.readUInt8(this.#at);
    const signature = this.#body.toString('latin1', this.#at + 1, this.#at + 1 + size);
    if (signature !== 'a{ss}') throw new RangeError(`a value of type ${signature}`);
    this.#at += size + 2;
    const end = this.#arrayEnd(8);
    const texts = new Map<string, string>();
    while (this.#at < end) {
      this.#align(8);
      const name = this.#text();
      texts.set(name, this.#text());
    }
    return texts;
  }

  /** After the size of an array comes what its elements are aligned to, which the size does not count. */
  #arrayEnd(alignment: number): number {
    const size = this.#uint32();
    this.#align(alignment);
    return this.#at + size;
  }

  #text(): string {
    const size = this.#uint32();
    const text = this.#body.toString('utf8', this.#at, this.#at + size);
    this.#at += size + 1;
    if (this.#at > this.#body.length) throw new RangeError('a text ends beyond its message');
    return text;
  }

  #uint32(): number {
    this.#align(4);
    const value = this.#body.readUInt32LE(this.#at);
    this.#at += 4;
    return value;
  }

  #align(to: number): void {
    this.#at = Math.ceil(this.#at / to) * to;
  }
}
