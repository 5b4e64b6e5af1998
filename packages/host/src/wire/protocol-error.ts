/** What the other side sent is not the protocol of docs/spec/host.md. The connection ends with it; nothing else does. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}
