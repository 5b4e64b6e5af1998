"""Opens a vault.json as docs/spec/vault-file.md says, with Python's `cryptography` (46 or later) and none of Coffer's code.

python3 open-vault-file.py VAULT_JSON --passphrase-file F | --keyfile F | --recovery-code-file F | --keychain-key-file F (32 bytes)

prints the slot and the SHA-256 of the root key; while a rotation is not finished also the SHA-256 of the root key before
"""

import base64
import hashlib
import hmac
import json
import re
import sys
import unicodedata

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def hkdf(ikm, salt, info):
    return HKDF(hashes.SHA256(), 32, salt, info).derive(ikm)


def read_keyfile(data):
    lines = [line.strip() for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n")]
    (line,) = [line for line in lines if line and not line.startswith(b"#")]
    key, checksum = re.fullmatch(rb"coffer-keyfile-v1:([0-9a-f]{64}):([0-9a-f]{16})", line).groups()
    key = bytes.fromhex(key.decode())
    assert hashlib.sha256(b"coffer/keyfile/v1" + key).digest()[:8].hex().encode() == checksum, "damaged keyfile"
    return key


def read_passphrase(data):
    data = data.removeprefix(b"\xef\xbb\xbf")
    data = data[:-2] if data.endswith(b"\r\n") else data.removesuffix(b"\n")
    return unicodedata.normalize("NFC", data.decode()).encode()


ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def alpha(value):
    return value << 1 ^ (0b100101 if value & 16 else 0)


def read_recovery_code(data):
    lines = [line for line in data.decode().splitlines() if not line.startswith("#")]
    code = re.sub(r"[\s._\ufeff\u00a0\u2007-\u2015\u202f\u2212-]", "", "".join(lines)).upper()
    values = [ALPHABET.index(c) for c in code.translate(str.maketrans("ILOU", "110V"))]
    assert len(values) == 40, "not 40 characters"
    secret = 0
    for group in range(8):
        *digits, check = values[5 * group : 5 * group + 5]
        total = 0
        for digit in digits:
            total = alpha(total ^ digit)
            secret = secret << 5 | digit
        assert total ^ group + 1 == check, f"group {group + 1} has a mistake"
    return secret.to_bytes(20, "big")


def slot_key(slot, secret):
    if "hkdf" in slot:
        info = f"coffer/slot/{slot['kind']}/v1".encode()
        return hkdf(secret, bytes.fromhex(slot["hkdf"]["salt"]), info)
    cost = slot["argon2id"]
    lanes, memory = cost["parallelism"], cost["memoryKiB"]
    kdf = Argon2id(salt=bytes.fromhex(cost["salt"]), length=32, iterations=cost["passes"], lanes=lanes, memory_cost=memory)
    return kdf.derive(secret)


def previous_root(content, root):
    if "previous" not in content:
        return None
    assert content["keyEpoch"] >= 2
    key = base64.urlsafe_b64encode(hkdf(root, None, b"coffer/previous/v1"))
    return Fernet(key).decrypt(content["previous"]["wrappedKey"])


def open_vault_file(file, kind, secret):
    signed, checksum = re.fullmatch(rb'(.*),\n  "checksum": "([0-9a-f]{64})"\n}\n', file, re.S).groups()
    assert hashlib.sha256(signed).hexdigest().encode() == checksum, "damaged"
    body, mac = re.fullmatch(rb'(.*),\n  "mac": "([0-9a-f]{64})"', signed, re.S).groups()
    content = json.loads(body + b"\n}")
    assert (content["format"], content["formatVersion"]) == ("coffer-vault", 1), "too new"
    assert json.dumps(content, indent=2, ensure_ascii=False).encode() == body + b"\n}", "not in the one form"
    for slot in content["slots"]:
        if slot["kind"] != kind:
            continue
        try:
            root = Fernet(base64.urlsafe_b64encode(slot_key(slot, secret))).decrypt(slot["wrappedKey"])
        except InvalidToken:
            continue
        expected = hmac.digest(hkdf(root, None, b"coffer/slots/v1"), body, "sha256")
        assert hmac.compare_digest(expected, bytes.fromhex(mac.decode())), "changed by someone without the root key"
        return slot["id"], root, previous_root(content, root)
    raise SystemExit("wrong key")


if __name__ == "__main__":
    path, option, secret_path = sys.argv[1:]
    kind, read = {
        "--passphrase-file": ("passphrase", read_passphrase),
        "--keyfile": ("keyfile", read_keyfile),
        "--recovery-code-file": ("recovery", read_recovery_code),
        "--keychain-key-file": ("keychain", bytes),
    }[option]
    slot_id, *roots = open_vault_file(open(path, "rb").read(), kind, read(open(secret_path, "rb").read()))
    print(slot_id, *[hashlib.sha256(root).hexdigest() for root in roots if root is not None])
