import { expect, test } from 'vitest';
import * as storage from '../src/index.ts';

test('the package exports these names', () => {
  expect(Object.keys(storage).sort()).toMatchInlineSnapshot(`
    [
      "DEFAULT_THRESHOLD_BYTES",
      "FileStorage",
      "MAX_FILE_SIZE_BYTES",
      "MAX_FOLDER_SIZE_BYTES",
      "MAX_GET_FILE_SIZE_BYTES",
      "MAX_NAME_SIZE_BYTES",
      "MAX_THRESHOLD_BYTES",
      "MIME_SAMPLE_SIZE_BYTES",
      "StorageError",
      "StorageKeys",
      "applyBackup",
      "closeFileStorage",
      "configureFileStorage",
      "damagedSinceMs",
      "deleteFile",
      "detectMimeType",
      "getFile",
      "getFileStorage",
      "getMetadata",
      "openFileStorage",
      "parseFileId",
      "parseFileName",
      "parseFolder",
      "rebuildStorage",
      "saveFile",
      "shredFile",
      "shredWhole",
    ]
  `);
});
