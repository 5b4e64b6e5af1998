const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** A size for people, in powers of 1000: `0 B`, `999 B`, `2.1 MB`, `48 GB`. */
export function formatSize(sizeBytes: number): string {
  let value = sizeBytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${UNITS[unit] ?? 'B'}`;
}

/** A length of time for people: `0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`. */
export function formatDuration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${String(whole)} s`;
  if (whole < 3600) return `${String(Math.floor(whole / 60))} min ${twoDigits(whole % 60)} s`;
  return `${String(Math.floor(whole / 3600))} h ${twoDigits(Math.floor((whole % 3600) / 60))} min`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
const DAY_MS = 86_400_000;

/** A moment as a person near it would say it, in local time: `today 14:02`, `yesterday 09:10`, `12 Mar 14:02`, `12 Mar 2023`. */
export function formatDate(timeMs: number, nowMs: number): string {
  const date = new Date(timeMs);
  const now = new Date(nowMs);
  const clock = `${twoDigits(date.getHours())}:${twoDigits(date.getMinutes())}`;
  const day = `${String(date.getDate())} ${MONTHS[date.getMonth()] ?? ''}`;
  if (timeMs <= nowMs + DAY_MS) {
    if (date.toDateString() === now.toDateString()) return `today ${clock}`;
    const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
    if (date.toDateString() === yesterday.toDateString()) return `yesterday ${clock}`;
  }
  return date.getFullYear() === now.getFullYear()
    ? `${day} ${clock}`
    : `${day} ${String(date.getFullYear())}`;
}

/** A moment for a program: ISO 8601 in UTC, to the second. */
export function formatIsoDate(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** `1 file`, `2 files`, `1,234 files`. */
export function formatCount(count: number, noun: string, plural = `${noun}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? noun : plural}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
