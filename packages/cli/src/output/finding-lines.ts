import type { Finding } from '@coffer/vault';
import { escapeName, escapeText } from './escape.ts';
import type { Output } from './output.ts';
import { findingRecord } from './records.ts';

/** Writes what is wrong with a vault: what it is called, with what, and what to do. */
export function writeFinding(output: Output, finding: Finding): void {
  if (output.json) {
    output.record('finding', findingRecord(finding));
    return;
  }
  const subject = finding.path === undefined ? finding.subject : escapeName(finding.path);
  output.line(`${output.style.red(finding.code)}  ${subject}: ${escapeText(finding.message)}`);
  output.line(`  ${escapeText(finding.remedy)}`);
}
