import { describe, expect, it } from 'vitest';
import { backends } from './backends.ts';
import { bytes, utf8 } from './support.ts';

// RFC 4231 §4
const VECTORS = [
  {
    name: '4.2',
    key: bytes('0b'.repeat(20)),
    data: utf8('Hi There'),
    mac: 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
  },
  {
    name: '4.3, a key shorter than the output',
    key: utf8('Jefe'),
    data: utf8('what do ya want for nothing?'),
    mac: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  },
  {
    name: '4.4',
    key: bytes('aa'.repeat(20)),
    data: bytes('dd'.repeat(50)),
    mac: '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe',
  },
  {
    name: '4.5',
    key: bytes('0102030405060708090a0b0c0d0e0f10111213141516171819'),
    data: bytes('cd'.repeat(50)),
    mac: '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b',
  },
  {
    name: '4.6, which publishes the first 128 bits',
    key: bytes('0c'.repeat(20)),
    data: utf8('Test With Truncation'),
    mac: 'a3b6167473100ee06e0c796c2955552b',
  },
  {
    name: '4.7, a key longer than a block',
    key: bytes('aa'.repeat(131)),
    data: utf8('Test Using Larger Than Block-Size Key - Hash Key First'),
    mac: '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  },
  {
    name: '4.8, key and data longer than a block',
    key: bytes('aa'.repeat(131)),
    data: utf8(
      'This is a test using a larger than block-size key and a larger than block-size data. ' +
        'The key needs to be hashed before being used by the HMAC algorithm.',
    ),
    mac: '9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2',
  },
] as const;

describe.each(backends)('HMAC-SHA-256 over %s', (_, crypto) => {
  it.each(VECTORS)('computes RFC 4231 §$name', ({ key, data, mac }) => {
    expect(crypto.hmacSha256(key, data).subarray(0, mac.length / 2)).toEqual(bytes(mac));
  });

  it('takes an empty key as 64 zero bytes, as RFC 2104 pads it', () => {
    expect(crypto.hmacSha256(new Uint8Array(0), utf8('a'))).toEqual(
      crypto.hmacSha256(new Uint8Array(64), utf8('a')),
    );
  });
});
