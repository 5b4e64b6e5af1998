"""Writes python-cryptography.json: tokens made by the Fernet of Python's `cryptography`, of all lengths around a block, and of several kinds of bytes.

Everything is fixed, so that running it again changes nothing:  python3 vectors/fernet/make.py
"""

import base64
import hashlib
import json
import pathlib

import cryptography
from cryptography.fernet import Fernet


def seed(text, length):
    return hashlib.sha256(text.encode()).digest()[:length]


def vector(name, message):
    key = base64.urlsafe_b64encode(seed(f"key of {name}", 32))
    time, iv = int.from_bytes(seed(f"time of {name}", 4), "big"), seed(f"IV of {name}", 16)
    # The method that `encrypt` and `encrypt_at_time` call with a random IV.
    token = Fernet(key)._encrypt_from_parts(message, time, iv)
    assert Fernet(key).decrypt(token) == message
    return {
        "name": name,
        "key": key.decode(),
        "time": time,
        "iv": iv.hex(),
        "message": message.hex(),
        "token": token.decode(),
    }


messages = {f"{size} bytes": bytes(range(size)) for size in (0, 1, 2, 3, 14, 15, 16, 17, 31, 32, 33, 255)}
messages |= {"text": "Grüße, 世界 🗝".encode(), "zeros": bytes(64), "ones": b"\xff" * 64, "looks like padding": b"\x10" * 16}
result = {
    "source": f"cryptography {cryptography.__version__} (https://cryptography.io)",
    "vectors": [vector(name, message) for name, message in messages.items()],
}
(pathlib.Path(__file__).parent / "python-cryptography.json").write_text(json.dumps(result, indent=2) + "\n")
