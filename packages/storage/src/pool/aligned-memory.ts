// Not in the libraries that this project is compiled with.
declare const WebAssembly: {
  readonly Memory: new (limits: {
    readonly initial: number;
    readonly maximum: number;
    readonly shared: true;
  }) => { readonly buffer: SharedArrayBuffer };
};

/** Of WebAssembly's memory; every system's pages, and every disk's blocks, are parts of it. */
const WASM_PAGE_BYTES = 65_536;

/**
 * Shared memory that begins at a page, as direct I/O needs it, in whole pages of 64 KiB. Only the memory of WebAssembly is placed like that; where there is none (`--jitless`,
 * a limit on address space), any shared memory does, and files are written through the page cache.
 */
export function allocateShared(sizeBytes: number): SharedArrayBuffer {
  const pages = sizeBytes / WASM_PAGE_BYTES;
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }).buffer;
  } catch {
    return new SharedArrayBuffer(sizeBytes);
  }
}
