import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { READ_ONLY_DISK } from '../../src/doctor/kinds/mends.ts';
import { FINDING_KINDS } from '../../src/index.ts';

const TEXT = readFileSync(join(import.meta.dirname, '../../../../docs/recovering.md'), 'utf8');

test('docs/recovering.md has a chapter for every kind of finding and no other, in their order', () => {
  const chapters = [...TEXT.matchAll(/^## (.+)$/gm)].map(([, code]) => code);
  expect(chapters).toEqual(Object.keys(FINDING_KINDS));
});

function chapterOn(code: string): string {
  return (TEXT.split(`\n## ${code}\n`)[1]?.split('\n## ')[0] ?? '').replace(/\s+/g, ' ');
}

test.each(Object.entries(FINDING_KINDS))('its chapter on %s says what the finding says', (code, kind) => {
  const chapter = chapterOn(code);
  const file = { id: 'ID', folder: 'FOLDER', name: 'NAME', sha256: 'SHA256' };
  const mend = kind.mend({ item: 'ITEM', ...(kind.subject === 'file' ? { file } : {}) });
  expect(chapter).toContain(kind.cost);
  expect(chapter).toContain(kind.remedy);
  expect(chapter).toContain(`\`${mend}\``);
  expect(chapter.includes('**Fixable.**')).toBe(kind.isFixable === true);
});

test('its chapter on LINKED has the command for a database, too', () => {
  const mend = FINDING_KINDS.LINKED.mend({ item: 'ITEM', database: 'TARGET' });
  expect(chapterOn('LINKED')).toContain(`\`${mend}\``);
});

test('its chapter on NOT_WRITABLE says what to do on a read-only disk, too', () => {
  const chapter = chapterOn('NOT_WRITABLE');
  expect(chapter).toContain(READ_ONLY_DISK.remedy);
  expect(chapter).toContain(`\`${READ_ONLY_DISK.mend({ item: 'ITEM' })}\``);
});
