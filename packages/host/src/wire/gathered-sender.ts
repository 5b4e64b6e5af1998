/** A pipe brings 64 KiB at a time: a frame for each would cost both sides as much as what is in it. */
const GATHERED_SIZE_BYTES = 262_144;

/**
 * Sends content in pieces of 256 KiB, the last one shorter. One is filled while the one before is under way. `send` says whether more is wanted, and is not called again
 * after it said `false`; disposal waits for it, and zeroes what was held.
 */
export class GatheredSender implements AsyncDisposable {
  readonly #send: (piece: Uint8Array) => Promise<boolean>;
  #filling: Uint8Array | undefined;
  #sent: Uint8Array | undefined;
  #filled = 0;
  #sending: Promise<boolean> = Promise.resolve(true);

  constructor(send: (piece: Uint8Array) => Promise<boolean>) {
    this.#send = send;
  }

  /** Takes a copy of `piece`. `false` when nothing more is wanted. */
  async add(piece: Uint8Array): Promise<boolean> {
    for (let taken = 0; taken < piece.length;) {
      this.#filling ??= new Uint8Array(GATHERED_SIZE_BYTES);
      const part = piece.subarray(taken, taken + GATHERED_SIZE_BYTES - this.#filled);
      this.#filling.set(part, this.#filled);
      this.#filled += part.length;
      taken += part.length;
      if (this.#filled === GATHERED_SIZE_BYTES && !(await this.#flush())) return false;
    }
    return true;
  }

  /** Resolves when everything is sent, or nothing more is wanted: then with `false`. */
  async finish(): Promise<boolean> {
    return (this.#filled === 0 || (await this.#flush())) && (await this.#sending);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sending;
    this.#filling?.fill(0);
    this.#sent?.fill(0);
  }

  async #flush(): Promise<boolean> {
    if (this.#filling === undefined || !(await this.#sending)) return false;
    this.#sending = this.#send(this.#filling.subarray(0, this.#filled));
    [this.#filling, this.#sent] = [this.#sent, this.#filling];
    this.#filled = 0;
    return true;
  }
}
