import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { node as crypto } from './backends.ts';
import { REPOSITORY, bytes, utf8 } from './support.ts';

const hasCryptography = spawnSync('python3', ['-c', 'import cryptography.fernet']).status === 0;

function python(script: string, input: unknown): unknown {
  const output = execFileSync('python3', ['-B', '-c', script], {
    input: JSON.stringify(input),
    encoding: 'utf8',
    env: { ...process.env, PYTHONPATH: join(REPOSITORY, 'docs/spec') },
    maxBuffer: 2 ** 26,
  });
  return JSON.parse(output);
}

describe("Python's cryptography, live (skipped without python3 and its cryptography package)", () => {
  const it_ = it.skipIf(!hasCryptography);
  const sizes = [0, 1, 15, 16, 17, 1000, 4095, 4096, 4097, 8192, 10_000];

  it_('opens our Fernet tokens', () => {
    const key = crypto.FernetKey.generate();
    const messages = sizes.map((size) => crypto.randomBytes(size));
    const script = [
      'import json, sys',
      'from cryptography.fernet import Fernet',
      'given = json.load(sys.stdin)',
      'fernet = Fernet(given["key"])',
      'print(json.dumps([fernet.decrypt(token, ttl=60).hex() for token in given["tokens"]]))',
    ].join('\n');
    const tokens = messages.map((message) => crypto.encryptFernet(key, message));
    expect(python(script, { key: key.exportBase64Url(), tokens })).toEqual(messages.map(crypto.bytesToHex));
  });

  it_('makes Fernet tokens and keys that we open', () => {
    const script = [
      'import json, sys',
      'from cryptography.fernet import Fernet',
      'key = Fernet.generate_key()',
      'tokens = [Fernet(key).encrypt(bytes(size)).decode() for size in json.load(sys.stdin)]',
      'print(json.dumps({"key": key.decode(), "tokens": tokens}))',
    ].join('\n');
    const made = python(script, sizes) as { key: string; tokens: string[] };
    const key = crypto.FernetKey.parse(made.key);
    const opened = made.tokens.map((token) => crypto.decryptFernet(key, token, { ttlSeconds: 60 }).length);
    expect(opened).toEqual(sizes);
  });

  it_('opens our sealed files by docs/spec/decode.py', () => {
    const storageKey = crypto.SecretKey.generate();
    const plaintexts = [...sizes, 300_000].map((size) => crypto.randomBytes(size));
    const files = plaintexts.map((plaintext, index) => {
      const segmentSizeLog2 = plaintext.length > 100_000 ? 18 : 12;
      const header = {
        fileId: utf8('sixteen bytes id'),
        keyEpoch: 1,
        sequence: BigInt(index),
        segmentSizeLog2,
      };
      return crypto.bytesToHex(crypto.sealFile(storageKey, header, plaintext));
    });
    const script = [
      'import json, sys',
      'from decode import open_file',
      'given = json.load(sys.stdin)',
      'keys = {1: bytes.fromhex(given["key"])}',
      'opened = [open_file(bytes.fromhex(file), b"sixteen bytes id", keys) for file in given["files"]]',
      'print(json.dumps([content.hex() for content in opened]))',
    ].join('\n');
    const opened = python(script, { key: crypto.bytesToHex(storageKey.exportBytes()), files }) as string[];
    expect(opened.map(bytes)).toEqual(plaintexts);
  });

  it_('agrees with every committed vector of sealed files', () => {
    const checked = spawnSync('python3', [join(REPOSITORY, 'vectors/sealed-file/check.py')], {
      encoding: 'utf8',
    });
    expect(checked.stderr).toBe('');
    expect(checked.stdout).toMatch(/^\d+ as expected, 0 not\n$/);
  });
});
