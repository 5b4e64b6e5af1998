/**
 * An argument as it is sent: without what stays with the sender. A signal becomes a message that cancels, progress comes back in messages, and
 * the pieces of a stream follow in messages of their own.
 */
export type Sent<T> =
  T extends AsyncIterable<Uint8Array>
    ? null
    : T extends string | number | boolean | Uint8Array | readonly unknown[]
      ? T
      : T extends object
        ? Omit<T, 'signal' | 'onProgress'>
        : T;

/** The arguments of a method as they are sent. */
export type SentArguments<M> = M extends (...args: infer A) => unknown
  ? { readonly [I in keyof A]-?: Sent<Exclude<A[I], undefined>> }
  : never;
