import type { Finding } from '@coffer/vault';
import { escapeName, escapeText } from './escape.ts';
import { formatDate } from './format.ts';
import type { Output } from './output.ts';
import { findingRecord } from './records.ts';

/** Writes what is wrong with a vault: with what, since when, what it costs, what to do and the command that does it. */
export function writeFinding(output: Output, finding: Finding, nowMs: number): void {
  if (output.json) {
    output.record('finding', findingRecord(finding));
    return;
  }
  const { style } = output;
  const { code, item, message, sinceMs, cost, remedy, mend } = finding;
  const since = sinceMs === undefined ? '' : style.dim(` (since ${formatDate(sinceMs, nowMs)})`);
  const isNamed = finding.path === undefined && message.includes(item.slice(item.lastIndexOf('/') + 1));
  output.line(`${style.red(code)}  ${isNamed ? '' : `${escapeName(item)}: `}${escapeText(message)}${since}`);
  output.line(`  ${style.dim('costs:')} ${escapeText(cost)}`);
  output.line(`  ${style.dim('to do:')} ${escapeText(remedy)}`);
  output.line(`  ${style.dim('mends:')} ${escapeText(mend)}`);
}
