"""Writes the vectors of this folder from docs/spec/sealed-file.md, with Python's `cryptography` (46 or later) and none of Coffer's code.

Everything is fixed, so that running it again changes nothing:  python3 vectors/sealed-file/make.py
"""

import hashlib
import hmac
import json
import pathlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

HERE = pathlib.Path(__file__).parent
FILE_ID = bytes(range(0xF0, 0x100))
OTHER_ID = bytes(range(0xE0, 0xF0))
FILE_KEY = bytes(range(0x20, 0x40))
OTHER_FILE_KEY = bytes(range(0x40, 0x60))
STORAGE_KEY = bytes(range(0x80, 0xA0))
NEXT_STORAGE_KEY = bytes(range(0xA0, 0xC0))
KEYS = {1: STORAGE_KEY, 2: NEXT_STORAGE_KEY}
LOG2 = 12
SIZE = 2**LOG2


def plaintext(size):
    return bytes(index % 251 for index in range(size))


def seed(text, length):
    return hashlib.sha256(text.encode()).digest()[:length]


def expand(key, info):
    return HKDFExpand(hashes.SHA256(), 32, info).derive(key)


def pad(message):
    missing = 16 - len(message) % 16
    return message + bytes([missing]) * missing


def token(key, padded, iv, version=0x80, time=0):
    """A Fernet token in binary, of a message that has its padding already, right or wrong."""
    encryptor = Cipher(algorithms.AES(key[16:]), modes.CBC(iv)).encryptor()
    body = bytes([version]) + time.to_bytes(8, "big") + iv + encryptor.update(padded) + encryptor.finalize()
    return body + hmac.digest(key[:16], body, "sha256")


def segment_key(index, final, file_key=FILE_KEY):
    return expand(file_key, b"coffer/segment/v1" + index.to_bytes(8, "big") + bytes([final]))


def segment(index, final, message, file_key=FILE_KEY, padded=None, **fields):
    padded = pad(message) if padded is None else padded
    return token(segment_key(index, final, file_key), padded, seed(f"segment {index}", 16), **fields)


def segments(message, log2=LOG2, file_key=FILE_KEY):
    pieces = [message[start : start + 2**log2] for start in range(0, len(message), 2**log2)] or [b""]
    return [segment(i, i == len(pieces) - 1, piece, file_key) for i, piece in enumerate(pieces)]


def block(epoch=1, sequence=1, log2=LOG2, file_id=FILE_ID, version=1, suite=1, reserved=0, magic=b"COFFERSF", **wrapping):
    """The 177 bytes of a header block that are not padding; authentic, whatever it says."""
    file_key = wrapping.pop("file_key", FILE_KEY)
    storage_key = wrapping.pop("storage_key", KEYS.get(epoch, STORAGE_KEY))
    message, token_version = wrapping.pop("message", file_key), wrapping.pop("token_version", 0x80)
    wrapped = token(storage_key, pad(message), seed(f"header {sequence}", 16), token_version, **wrapping)
    body = magic + bytes([version, suite, log2, reserved]) + file_id
    body += epoch.to_bytes(4, "big") + sequence.to_bytes(8, "big") + wrapped
    return body + hmac.digest(expand(file_key, b"coffer/header/v1"), body, "sha256")


def flip(data, offset):
    return data[:offset] + bytes([data[offset] ^ 1]) + data[offset + 1 :]


def vector(name, header, tokens, keys=None, file_id=FILE_ID):
    return {
        "name": name,
        "fileId": file_id.hex(),
        "storageKeys": {str(epoch): key.hex() for epoch, key in (keys or {1: STORAGE_KEY}).items()},
        "header": [part.hex() for part in header],
        "tokens": [part.hex() for part in tokens],
    }


def valid(name, header, size, place=0, epoch=1, sequence=1, log2=LOG2, keys=None):
    message = plaintext(size)
    expected = {
        "place": place,
        "keyEpoch": epoch,
        "sequence": str(sequence),
        "segmentSizeLog2": log2,
        "fileKey": FILE_KEY.hex(),
        "plaintextSize": size,
        "plaintextSha256": hashlib.sha256(message).hexdigest(),
    }
    return vector(name, header, segments(message, log2), keys) | {"expected": expected}


def invalid(error, name, header=None, tokens=None, keys=None, file_size=None):
    header = [block(), b""] if header is None else header
    tokens = segments(plaintext(5)) if tokens is None else tokens
    cut = {} if file_size is None else {"fileSize": file_size}
    return vector(name, header, tokens, keys) | cut | {"error": error}


def make_valid():
    sizes = [0, 1, 15, 16, 17, SIZE - 1, SIZE, SIZE + 1, 2 * SIZE, 2 * SIZE + 100]
    torn = block(2, 2)[:100] + bytes(77)
    top = {"epoch": 2**32 - 1, "sequence": 2**64 - 1}
    newer = {"place": 1, "epoch": 2, "sequence": 2, "keys": KEYS}
    return [
        *[valid(f"{size} bytes", [block(), b""], size) for size in sizes],
        valid("largest segment size", [block(log2=24), b""], 20, log2=24),
        valid("the header in the second place", [b"", block(2, 2)], 20, **newer),
        valid("both places, the second newer", [block(), block(2, 2)], 20, **newer),
        valid("both places, the first newer", [block(2, 2), block()], 20, epoch=2, sequence=2, keys=KEYS),
        valid("both places, same sequence number: the first", [block(1, 7), block(2, 7)], 20, sequence=7, keys=KEYS),
        valid("the newer one torn", [block(), torn], 20, keys=KEYS),
        valid("the newer one under an unknown key epoch", [block(), block(2, 2)], 20),
        valid("the newer one of an unknown version", [block(), block(1, 2, version=2)], 20),
        valid("the newer one of another file", [block(), block(1, 2, file_id=OTHER_ID)], 20),
        valid("the older one half zeroed", [bytes(64) + block()[64:], block(2, 2)], 20, **newer),
        valid("greatest key epoch and sequence number", [block(**top), b""], 20, keys={2**32 - 1: STORAGE_KEY}, **top),
        valid("sequence numbers are unsigned", [block(sequence=2**63), block(sequence=5)], 20, sequence=2**63),
    ]


def make_invalid_headers():
    good = block()
    padded = good + bytes(4096 - len(good))
    fields = {"magic": 0, "segment size": 10, "reserved byte": 11, "file id": 12, "sequence number": 39}
    fields |= {"wrapped key's version": 40, "wrapped key's time": 48, "wrapped key's IV": 49}
    fields |= {"wrapped key's ciphertext": 65, "wrapped key's MAC": 144, "MAC": 176}
    return [
        *[invalid("INVALID_HEADER", f"a bit flipped in the {name}", [flip(good, at), b""]) for name, at in fields.items()],
        invalid("INVALID_HEADER", "a bit set in the first byte of the padding", [flip(padded, 177), b""]),
        invalid("INVALID_HEADER", "a bit set in the last byte of the padding", [flip(padded, 4095), b""]),
        invalid("INVALID_HEADER", "another key epoch that is known", [good[:31] + b"\x02" + good[32:], b""], keys=KEYS),
        invalid("INVALID_HEADER", "another storage key", [good, b""], keys={1: NEXT_STORAGE_KEY}),
        invalid("INVALID_HEADER", "both places zero", [bytes(177), bytes(177)]),
        invalid("INVALID_HEADER", "both places damaged", [flip(good, 20), flip(block(2, 2), 20)], keys=KEYS),
        invalid("INVALID_HEADER", "moved by one byte", [b"\0" + good, b""]),
        invalid("INVALID_HEADER", "authentic, segment size 2^11", [block(log2=11), b""]),
        invalid("INVALID_HEADER", "authentic, segment size 2^25", [block(log2=25), b""]),
        invalid("INVALID_HEADER", "authentic, reserved byte 1", [block(reserved=1), b""]),
        invalid("INVALID_HEADER", "authentic, other magic", [block(magic=b"COFFERSG"), b""]),
        invalid("INVALID_HEADER", "authentic, wrapped key with a time", [block(time=1), b""]),
        invalid("INVALID_HEADER", "authentic, wrapped key of version 0x81", [block(token_version=0x81), b""]),
        invalid("INVALID_HEADER", "authentic, wrapped key of 33 bytes", [block(message=FILE_KEY + b"\0"), b""]),
        invalid("INVALID_HEADER", "a file that ends inside the header", tokens=[], file_size=8191),
        invalid("INVALID_HEADER", "an empty file", tokens=[], file_size=0),
        invalid("UNSUPPORTED", "format version 2", [block(version=2), b""]),
        invalid("UNSUPPORTED", "format version 0", [block(version=0), b""]),
        invalid("UNSUPPORTED", "suite 2", [block(suite=2), b""]),
        invalid("UNKNOWN_KEY_EPOCH", "key epoch 3", [block(3), b""], keys=KEYS),
        invalid("WRONG_FILE", "another file's header", [block(file_id=OTHER_ID), b""]),
        invalid("WRONG_FILE", "another file's, beside a damaged one", [flip(good, 20), block(1, 2, file_id=OTHER_ID)]),
        invalid("WRONG_FILE", "another file's, beside key epoch 3", [block(3), block(1, 2, file_id=OTHER_ID)]),
        invalid("UNKNOWN_KEY_EPOCH", "key epoch 3, beside format version 2", [block(3), block(version=2)]),
    ]


def make_invalid_segments():
    first, second, last = segments(plaintext(2 * SIZE + 100))
    full = plaintext(SIZE)
    only = segment(0, True, plaintext(20))
    bits = {"version": 0, "time": 8, "IV": 9, "ciphertext": 25, "last block": 56, "MAC": len(only) - 1}

    def refused(name, *tokens):
        return invalid("INVALID_TOKEN", name, tokens=list(tokens))

    def padded(padding):
        return segment(0, True, b"", padded=padding)

    return [
        *[refused(f"a bit flipped in the {name}", flip(only, at)) for name, at in bits.items()],
        refused("two segments swapped", second, first, last),
        refused("a segment repeated", first, first, last),
        refused("a segment missing in the middle", first, last),
        refused("the final segment missing", first, second),
        refused("the final segment twice", only, only),
        refused("a full segment added", first, second, segment(2, False, full), last),
        refused("a segment of another file", first, second, segment(2, True, b"abc", OTHER_FILE_KEY)),
        refused("all segments of another file", segment(0, True, b"abc", OTHER_FILE_KEY)),
        refused("no segment at all"),
        refused("cut off by one block", only[:-16]),
        refused("cut off by one byte", only[:-1]),
        refused("extended by one byte", only + b"\0"),
        refused("extended by one block", only + bytes(16)),
        refused("shorter than any token", only[:72]),
        refused("no ciphertext", padded(b"")),
        refused("authentic, the final segment not marked", segment(0, False, b"abc")),
        refused("authentic, another one marked final", segment(0, True, full), segment(1, True, b"abc")),
        refused("authentic, version 0x81", segment(0, True, b"abc", version=0x81)),
        refused("authentic, with a time", segment(0, True, b"abc", time=1)),
        refused("authentic, padding 0x00", padded(bytes(16))),
        refused("authentic, padding 0x11", padded(b"\x11" * 32)),
        refused("authentic, padding not uniform", padded(bytes(13) + b"\x02\x03\x03")),
        refused("authentic, an empty final segment after a full one", segment(0, False, full), segment(1, True, b"")),
        refused("authentic, a segment longer than full", segment(0, False, full + b"x"), segment(1, True, b"abc")),
        refused("authentic, the final segment longer than full", segment(0, True, full + b"x")),
    ]


def make_large():
    """Files of the usual segment size, told by the hash of all of their bytes."""
    vectors = []
    for size in (2**18 - 1, 2**18, 2**18 + 1, 3 * 2**18):
        file = block(log2=18) + bytes(8192 - 177) + b"".join(segments(plaintext(size), 18))
        vectors.append({"plaintextSize": size, "fileSize": len(file), "fileSha256": hashlib.sha256(file).hexdigest()})
    return {
        "fileId": FILE_ID.hex(),
        "storageKey": STORAGE_KEY.hex(),
        "fileKey": FILE_KEY.hex(),
        "keyEpoch": 1,
        "sequence": "1",
        "segmentSizeLog2": 18,
        "headerIv": seed("header 1", 16).hex(),
        "segmentIvs": [seed(f"segment {index}", 16).hex() for index in range(3)],
        "files": vectors,
    }


def write(name, value):
    (HERE / name).write_text(json.dumps(value, indent=2) + "\n")


if __name__ == "__main__":
    write("valid.json", make_valid())
    write("invalid.json", make_invalid_headers() + make_invalid_segments())
    write("large.json", make_large())
