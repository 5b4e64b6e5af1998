import { connect } from 'node:net';

const ANSWER = /^([1-9][0-9]{0,9})\n$/;
const MAX_ANSWER_CHARACTERS = 11;

/** The number of the owner's process, if that answers within the time at its second socket; `undefined` when it is stopped or gone, or the signal ends it. */
export async function askLiveness(
  address: string,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<number | undefined> {
  const socket = connect(address).setEncoding('ascii');
  const said = new Promise<string>((resolve) => {
    let text = '';
    const end = (): void => {
      resolve(text);
    };
    socket.on('data', (piece: string) => {
      text += piece;
      if (text.length > MAX_ANSWER_CHARACTERS) end();
    });
    for (const event of ['end', 'error', 'close'] as const) socket.on(event, end);
    // Not an idle time: one that says a byte now and then has its time, too.
    setTimeout(end, timeoutMs).unref();
    signal?.addEventListener('abort', end, { once: true });
  });
  try {
    const pid = ANSWER.exec(await said)?.[1];
    return pid === undefined ? undefined : Number(pid);
  } finally {
    socket.destroy();
  }
}
