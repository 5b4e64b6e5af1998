"""Opens a sealed file with Python's `cryptography` and nothing of Coffer. docs/spec/sealed-file.md is what it follows.

    python3 decode.py FILE FILE_ID STORAGE_KEY [KEY_EPOCH]     (id and key in hex; the content goes to stdout)
"""

import base64
import hmac
import sys

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

BLOCK, HEADER = 4096, 8192
CERTAINTY = ["INVALID_HEADER", "UNSUPPORTED", "UNKNOWN_KEY_EPOCH", "WRONG_FILE"]


class Refused(Exception):
    """The only argument is the code of section 8."""


def expand(key, info):
    return HKDFExpand(hashes.SHA256(), 32, info).derive(key)


def open_token(key, token, code):
    try:
        message = Fernet(base64.urlsafe_b64encode(key)).decrypt(base64.urlsafe_b64encode(token))
    except InvalidToken:
        raise Refused(code) from None
    if any(token[1:9]):
        raise Refused(code)
    return message


def open_block(block, file_id, storage_keys):
    if block[:8] != b"COFFERSF":
        raise Refused("INVALID_HEADER")
    if block[8:10] != b"\x01\x01":
        raise Refused("UNSUPPORTED")
    if not 12 <= block[10] <= 24 or block[11] != 0 or any(block[177:]):
        raise Refused("INVALID_HEADER")
    epoch = int.from_bytes(block[28:32], "big")
    if epoch not in storage_keys:
        raise Refused("UNKNOWN_KEY_EPOCH")
    file_key = open_token(storage_keys[epoch], block[40:145], "INVALID_HEADER")
    mac = hmac.digest(expand(file_key, b"coffer/header/v1"), block[:145], "sha256") if len(file_key) == 32 else b""
    if not hmac.compare_digest(mac, block[145:177]):
        raise Refused("INVALID_HEADER")
    if block[12:28] != file_id:
        raise Refused("WRONG_FILE")
    return int.from_bytes(block[32:40], "big"), block[10], file_key


def open_header(header, file_id, storage_keys):
    opened, refusals = [], ["INVALID_HEADER"]
    for block in (header[:BLOCK], header[BLOCK:HEADER]):
        try:
            opened.append(open_block(block, file_id, storage_keys))
        except Refused as refused:
            refusals.append(refused.args[0])
    if not opened:
        raise Refused(max(refusals, key=CERTAINTY.index))
    return max(opened, key=lambda block: block[0])  # the first of equals


def open_file(file, file_id, storage_keys):
    """The content of the file, all of it, or Refused. `storage_keys` has 32 bytes for each key epoch."""
    if len(file) < HEADER:
        raise Refused("INVALID_HEADER")
    _, log2, file_key = open_header(file[:HEADER], file_id, storage_keys)
    size, full, pieces = 2**log2, 2**log2 + 73, []
    count = max(1, -(-(len(file) - HEADER) // full))
    for index in range(count):
        start, final = HEADER + index * full, index == count - 1
        key = expand(file_key, b"coffer/segment/v1" + index.to_bytes(8, "big") + bytes([final]))
        piece = open_token(key, file[start : start + full], "INVALID_TOKEN")
        if len(piece) > size or (len(piece) < size and not final) or (not piece and index > 0):
            raise Refused("INVALID_TOKEN")
        pieces.append(piece)
    return b"".join(pieces)


if __name__ == "__main__":
    path, file_id, storage_key, epoch = (sys.argv[1:] + ["1"])[:4]
    with open(path, "rb") as sealed:
        content = open_file(sealed.read(), bytes.fromhex(file_id), {int(epoch): bytes.fromhex(storage_key)})
    sys.stdout.buffer.write(content)
