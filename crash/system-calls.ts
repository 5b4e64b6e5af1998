/** The process that was attached to. */
export const THE_PROCESS = -1;

/** A system call as strace has written it down. */
export interface SystemCall {
  /** The id of the thread that made it. */
  readonly thread: number;
  /** Which process the thread is of, for descriptors are its own: `THE_PROCESS`, or one that was made during the recording. */
  readonly process: number;
  readonly name: string;
  /** Arguments as text; strings decoded to bytes, descriptors to a number and the path that it stands for. */
  readonly arguments: readonly Argument[];
  /** What it returned; `undefined` when the process was killed in it. */
  readonly result: number | undefined;
}

export type Argument =
  { readonly kind: 'bytes'; readonly bytes: Buffer } | { readonly kind: 'text'; readonly text: string };

/** The options of strace whose output `parseSystemCalls` reads: whole strings in hexadecimal. */
export const RECORDING_OPTIONS = (path: string): readonly string[] => ['-xx', '-s', '100000000', '-o', path];

/** Reads what `strace -f` has recorded, in the order in which the calls were finished. */
export function parseSystemCalls(recording: string): SystemCall[] {
  const calls: CallOfThread[] = [];
  const unfinished = new Map<number, string>();
  for (const line of recording.split('\n')) {
    const match = /^(\d+)\s+(.*)$/.exec(line);
    if (match === null) continue;
    const thread = Number(match[1]);
    const text = match[2] ?? '';
    const begun = /^(.*) <unfinished \.\.\.>$/.exec(text);
    if (begun !== null) {
      unfinished.set(thread, begun[1] ?? '');
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(text);
    const call = resumed === null ? text : `${unfinished.get(thread) ?? ''}${resumed[1] ?? ''}`;
    unfinished.delete(thread);
    const parsed = parseCall(thread, call);
    if (parsed !== undefined) calls.push(parsed);
  }
  const processOf = processes(calls);
  return calls.map((call) => ({ ...call, process: processOf(call.thread) }));
}

type CallOfThread = Omit<SystemCall, 'process'>;

const NEW_TASK = /^(?:clone3?|v?fork)$/;

/** Looks through all calls first: what is made may be at work before the call that makes it has returned. */
function processes(calls: readonly CallOfThread[]): (thread: number) => number {
  const makers = new Map<number, number>();
  for (const { name, thread, result, arguments: all } of calls) {
    const isThread = all.some((each) => each.kind === 'text' && each.text.includes('CLONE_THREAD'));
    if (NEW_TASK.test(name) && result !== undefined && result > 0)
      makers.set(result, isThread ? thread : result);
  }
  const processOf = (thread: number): number => {
    const maker = makers.get(thread);
    if (maker === undefined) return THE_PROCESS;
    return maker === thread ? thread : processOf(maker);
  };
  return processOf;
}

function parseCall(thread: number, text: string): CallOfThread | undefined {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')', text.lastIndexOf(' = ') < 0 ? undefined : text.lastIndexOf(' = '));
  if (open <= 0 || close < open || !/^\w+$/.test(text.slice(0, open))) return undefined;
  const result = /^\)\s*= (-?\d+|\?)/.exec(text.slice(close))?.[1];
  return {
    thread,
    name: text.slice(0, open),
    arguments: splitArguments(text.slice(open + 1, close)).map(parseArgument),
    result: result === undefined || result === '?' ? undefined : Number(result),
  };
}

/** Strings are all hexadecimal, so that a comma or a quote in them is never met. */
function splitArguments(text: string): string[] {
  return text === '' ? [] : text.split(', ');
}

function parseArgument(text: string): Argument {
  if (!text.startsWith('"')) return { kind: 'text', text };
  return {
    kind: 'bytes',
    bytes: Buffer.from(text.slice(1, text.indexOf('"', 1)).replaceAll('\\x', ''), 'hex'),
  };
}
