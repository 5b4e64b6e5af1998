"""Writes the vectors of this folder from docs/spec/vault-file.md, with Python's `cryptography` (46 or later) and none of Coffer's code.

Everything is fixed, so that running it again changes nothing:  python3 vectors/vault-file/make.py
"""

import base64
import hashlib
import hmac
import json
import pathlib
import unicodedata

from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

HERE = pathlib.Path(__file__).parent
ROOT = bytes(range(0x40, 0x60))
VAULT_ID = "000102030405060708090a0b0c0d0e0f"
CHEAP = {"memoryKiB": 19456, "passes": 2, "parallelism": 1}
DEFAULT = {"memoryKiB": 65536, "passes": 3, "parallelism": 4}


def hkdf(ikm, salt, info):
    return HKDF(hashes.SHA256(), 32, salt, info).derive(ikm)


def wrap(slot_key, message, iv, time=0):
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(slot_key[16:]), modes.CBC(iv)).encryptor()
    body = b"\x80" + time.to_bytes(8, "big") + iv
    body += encryptor.update(padder.update(message) + padder.finalize()) + encryptor.finalize()
    token = body + hmac.digest(slot_key[:16], body, "sha256")
    return base64.urlsafe_b64encode(token).decode()


def seed(text, length):
    return hashlib.sha256(text.encode()).digest()[:length]


def passphrase_slot(id, passphrase, cost=CHEAP, label=None, root=ROOT, created=1764000000000):
    salt = seed("salt " + id, 16)
    key = Argon2id(
        salt=salt, length=32, iterations=cost["passes"], lanes=cost["parallelism"], memory_cost=cost["memoryKiB"]
    ).derive(passphrase)
    return {
        "id": id,
        "kind": "passphrase",
        "createdAtMs": created,
        **({} if label is None else {"label": label}),
        "argon2id": {**cost, "salt": salt.hex()},
        "wrappedKey": wrap(key, root, seed("iv " + id, 16)),
    }


def keyfile_slot(id, keyfile_key, label=None, root=ROOT, created=1764000000001, kind="keyfile"):
    salt = seed("salt " + id, 16)
    key = hkdf(keyfile_key, salt, f"coffer/slot/{kind}/v1".encode())
    return {
        "id": id,
        "kind": kind,
        "createdAtMs": created,
        **({} if label is None else {"label": label}),
        "hkdf": {"salt": salt.hex()},
        "wrappedKey": wrap(key, root, seed("iv " + id, 16)),
    }


def content(slots, generation=1, **other):
    return {"format": "coffer-vault", "formatVersion": 1, "vaultId": VAULT_ID, "generation": generation, "slots": slots, **other}


def rotated(slots, epoch, previous=None, generation=2, **more):
    """A content whose root key is not the first, with the one before while the rotation is not finished."""
    made = {"format": "coffer-vault", "formatVersion": 1, "vaultId": VAULT_ID, "generation": generation, "keyEpoch": epoch, "slots": slots}
    if previous is None:
        return made
    token = wrap(hkdf(ROOT, None, b"coffer/previous/v1"), previous, seed("iv previous", 16))
    return {**made, "previous": {"wrappedKey": token, **more}}


PREVIOUS = bytes(range(0xA0, 0xC0))


def dumps(value):
    return json.dumps(value, indent=2, ensure_ascii=False)


def finish(body, root=ROOT, mac=None):
    """The file whose bytes before the MAC are `body`."""
    mac = mac or hmac.digest(hkdf(root, None, b"coffer/slots/v1"), body, "sha256")
    signed = body + b',\n  "mac": "' + mac.hex().encode() + b'"'
    return checksummed(signed)


def checksummed(signed):
    return signed + b',\n  "checksum": "' + hashlib.sha256(signed).hexdigest().encode() + b'"\n}\n'


def body_of(value):
    return dumps(value).encode()[: -len("\n}")]


def encode(value, root=ROOT):
    return finish(body_of(value), root)


def keyfile(key):
    check = hashlib.sha256(b"coffer/keyfile/v1" + key).digest()[:8]
    return (
        "# Coffer keyfile. It opens every vault that has a slot for it, without a passphrase.\n"
        "# Keep it secret, keep it apart from the vault, and keep a copy: a lost one cannot be made again.\n"
        f"coffer-keyfile-v1:{key.hex()}:{check.hex()}\n"
    )


ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def times(a, b):
    product = 0
    for bit in range(5):
        product ^= (a << bit) * (b >> bit & 1)
    for bit in range(9, 4, -1):
        product ^= (0b100101 << bit - 5) * (product >> bit & 1)
    return product


def recovery_code(secret):
    bits = int.from_bytes(secret, "big")
    values = [bits >> 5 * (31 - n) & 31 for n in range(32)]
    groups = []
    for g in range(8):
        data = values[4 * g : 4 * g + 4]
        check = g + 1
        for weight, value in zip([16, 8, 4, 2], data):
            check ^= times(weight, value)
        groups.append("".join(ALPHABET[v] for v in data + [check]))
    return "-".join(groups)


CODE_A, CODE_B = bytes(range(0xE0, 0xF4)), bytes(range(0x10, 0x24))
RECOVERY_A = {"kind": "recovery", "code": recovery_code(CODE_A)}
RECOVERY_B = {"kind": "recovery", "code": recovery_code(CODE_B)}
KEY_A, KEY_B = bytes(range(32)), bytes(range(32, 64))
FILE_KEY_A = {"kind": "keyfile", "keyfile": keyfile(KEY_A)}
FILE_KEY_B = {"kind": "keyfile", "keyfile": keyfile(KEY_B)}
SLOT_A, SLOT_B = keyfile_slot("aaaaaaaa", KEY_A), keyfile_slot("bbbbbbbb", KEY_B, "USB stick")
ONE = content([SLOT_A])


def phrase(text):
    return {"kind": "passphrase", "passphraseHex": (text if isinstance(text, bytes) else text.encode()).hex()}


def valid():
    nfc = unicodedata.normalize("NFC", "Zoë的密码")
    yield "a keyfile slot", encode(ONE), [(FILE_KEY_A, "aaaaaaaa")]
    yield "a passphrase slot of the least cost", encode(content([passphrase_slot("01234567", b"correct horse battery staple")])), [
        (phrase("correct horse battery staple"), "01234567"),
        (phrase("correct horse battery staple\n"), "01234567"),
        (phrase("correct horse battery staple\r\n"), "01234567"),
    ]
    yield "a passphrase slot of the default cost", encode(content([passphrase_slot("89abcdef", b"x" * 64, DEFAULT)])), [
        (phrase("x" * 64), "89abcdef")
    ]
    yield "a passphrase that is not ASCII, composed or decomposed", encode(content([passphrase_slot("00000000", nfc.encode())])), [
        (phrase(nfc), "00000000"),
        (phrase(unicodedata.normalize("NFD", nfc)), "00000000"),
        (phrase("\ufeff" + nfc), "00000000"),
    ]
    many = [passphrase_slot("11111111", b"one"), SLOT_A, passphrase_slot("22222222", b"two"), SLOT_B]
    yield "several slots of both kinds, a later generation", encode(content(many, 9007199254740991)), [
        (phrase("one"), "11111111"),
        (phrase("two"), "22222222"),
        (FILE_KEY_A, "aaaaaaaa"),
        (FILE_KEY_B, "bbbbbbbb"),
    ]
    label = 'a "quoted" \\ label, é 日本 🗝️'
    yield "a label with everything that JSON may escape", encode(content([keyfile_slot("aaaaaaaa", KEY_A, label, created=0)])), [
        (FILE_KEY_A, "aaaaaaaa")
    ]
    recovery = keyfile_slot("cccccccc", CODE_A, kind="recovery")
    yield "a recovery slot", encode(content([recovery])), [
        (RECOVERY_A, "cccccccc"),
        ({"kind": "recovery", "code": recovery_code(CODE_A).lower().replace("-", " ").replace("0", "o").replace("1", "l")}, "cccccccc"),
    ]
    keychains = [keyfile_slot("dddddddd", KEY_A, kind="keychain"), keyfile_slot("eeeeeeee", KEY_B, "laptop", kind="keychain")]
    item_a = {"kind": "keychain", "slotId": "dddddddd", "keyHex": KEY_A.hex()}
    item_b = {"kind": "keychain", "slotId": "eeeeeeee", "keyHex": KEY_B.hex()}
    every = [passphrase_slot("33333333", b"one"), *keychains, recovery, SLOT_A]
    yield "slots of all kinds", encode(content(every, 3)), [
        (phrase("one"), "33333333"), (item_a, "dddddddd"), (item_b, "eeeeeeee"), (RECOVERY_A, "cccccccc"), (FILE_KEY_A, "aaaaaaaa"),
    ]
    full = [keyfile_slot(f"{n:08x}", KEY_A if n == 15 else KEY_B, "😀" * 64, created=8640000000000000) for n in range(16)]
    yield "16 slots with the longest labels", encode(content(full)), [(FILE_KEY_A, "0000000f")]
    yield "after a rotation of the root key", encode(rotated([SLOT_A], 2)), [(FILE_KEY_A, "aaaaaaaa")]
    yield "the last key epoch", encode(rotated([SLOT_A], 2**32 - 1)), [(FILE_KEY_A, "aaaaaaaa")]
    yield "a rotation that is not finished", encode(rotated([SLOT_A], 2, PREVIOUS)), [(FILE_KEY_A, "aaaaaaaa")]
    yield "a rotation that is not finished, with resealing", encode(rotated([SLOT_A], 7, PREVIOUS, reseal=True)), [
        (FILE_KEY_A, "aaaaaaaa")
    ]


def changed_slot(**members):
    return content([{**SLOT_A, **members}])


def refused_at_reading():
    good = encode(ONE)
    text = good.decode()
    yield "an empty file", b"", "DAMAGED"
    yield "a file of zeros", bytes(1000), "DAMAGED"
    yield "a file cut off by one byte", good[:-1], "DAMAGED"
    yield "a file cut in half", good[: len(good) // 2], "DAMAGED"
    yield "a byte too many", good + b"\n", "DAMAGED"
    yield "a byte order mark", b"\xef\xbb\xbf" + good, "DAMAGED"
    yield "a wrong checksum", good.replace(b'"generation": 1', b'"generation": 2'), "DAMAGED"
    yield "a checksum in capitals", good[:-70] + good[-70:].upper(), "DAMAGED"
    yield "CRLF line ends", good.replace(b"\n", b"\r\n"), "DAMAGED"
    yield "not JSON", checksummed(b"{" + b"[" * 5000), "DAMAGED"
    yield "JSON, but an array", checksummed(b"[1"), "DAMAGED"
    yield "not UTF-8", checksummed(b'{\n  "format": "coffer-vault\xff"'), "DAMAGED"
    yield "another format", encode({**ONE, "format": "coffer-vaults"}), "DAMAGED"
    yield "a newer version", encode({**ONE, "formatVersion": 2}), "TOO_NEW"
    yield "a newer version of which nothing else is known", checksummed(b'{\n  "format": "coffer-vault",\n  "formatVersion": 7'), "TOO_NEW"
    yield "version 0", encode({**ONE, "formatVersion": 0}), "DAMAGED"
    yield "version 1.5", encode({**ONE, "formatVersion": 1.5}), "DAMAGED"
    yield "a version that is a string", encode({**ONE, "formatVersion": "2"}), "DAMAGED"
    yield "no MAC", checksummed(body_of(ONE)), "DAMAGED"
    yield "a MAC that is too short", finish(body_of(ONE), mac=bytes(31)), "DAMAGED"
    yield "a member between MAC and checksum", checksummed(finish(body_of(ONE))[:-85] + b',\n  "more": 1'), "DAMAGED"
    yield "an unknown member", encode(content([SLOT_A], note="x")), "DAMAGED"
    yield "an unknown member of a slot", encode(changed_slot(note="x")), "DAMAGED"
    yield "a member __proto__", encode(content([SLOT_A], **{"__proto__": {}})), "DAMAGED"
    yield "members in another order", encode(dict(reversed(ONE.items()))), "DAMAGED"
    yield "a member twice", finish(body_of(ONE).replace(b'"generation": 1', b'"generation": 1,\n  "generation": 1')), "DAMAGED"
    yield "no spaces", finish(json.dumps(ONE, separators=(",", ":")).encode()[:-1]), "DAMAGED"
    yield "an escape that is not needed", finish(body_of(ONE).replace(b"keyfile", b"key\\u0066ile")), "DAMAGED"
    yield "an exponent", finish(body_of(ONE).replace(b'"generation": 1', b'"generation": 1e0')), "DAMAGED"
    yield "a negative zero", finish(body_of(changed_slot(createdAtMs=0)).replace(b'"createdAtMs": 0', b'"createdAtMs": -0')), "DAMAGED"
    yield "no slots", encode(content([])), "DAMAGED"
    yield "17 slots", encode(content([keyfile_slot(f"{n:08x}", KEY_A) for n in range(17)])), "DAMAGED"
    yield "two slots of one id", encode(content([SLOT_A, SLOT_A])), "DAMAGED"
    yield "a vault id in capitals", encode({**ONE, "vaultId": "A" * 32}), "DAMAGED"
    yield "generation 0", encode(content([SLOT_A], 0)), "DAMAGED"
    yield "generation 2^53", encode(content([SLOT_A], 2**53)), "DAMAGED"
    yield "key epoch 1, which is not written", encode(rotated([SLOT_A], 1)), "DAMAGED"
    yield "key epoch 2^32", encode(rotated([SLOT_A], 2**32)), "DAMAGED"
    unfinished = rotated([SLOT_A], 2, PREVIOUS)
    yield "a key epoch in another place", encode({**content([SLOT_A]), "keyEpoch": 2}), "DAMAGED"
    first = {name: value for name, value in unfinished.items() if name != "keyEpoch"}
    yield "a root key before the first", encode(first), "DAMAGED"
    yield "a previous root key that is null", encode({**unfinished, "previous": None}), "DAMAGED"
    yield "a previous root key without its token", encode({**unfinished, "previous": {}}), "DAMAGED"
    yield "a previous root key that is too short", encode({**unfinished, "previous": {"wrappedKey": unfinished["previous"]["wrappedKey"][:-1]}}), "DAMAGED"
    yield "a resealing that is false", encode(rotated([SLOT_A], 2, PREVIOUS, reseal=False)), "DAMAGED"
    yield "an unknown member of the previous root key", encode(rotated([SLOT_A], 2, PREVIOUS, note="x")), "DAMAGED"
    yield "a slot id that is too short", encode(changed_slot(id="aaaaaaa")), "DAMAGED"
    yield "a slot of unknown kind", encode(changed_slot(kind="recoveries")), "DAMAGED"
    yield "a time before 1970", encode(changed_slot(createdAtMs=-1)), "DAMAGED"
    yield "a time that is not an integer", encode(changed_slot(createdAtMs=0.5)), "DAMAGED"
    yield "a keyfile slot with Argon2id", encode(changed_slot(argon2id={**CHEAP, "salt": "00" * 16})), "DAMAGED"
    yield "a recovery slot with Argon2id", encode(changed_slot(kind="recovery", argon2id={**CHEAP, "salt": "00" * 16})), "DAMAGED"
    yield "a keychain slot without a salt", encode(changed_slot(kind="keychain", hkdf={})), "DAMAGED"
    yield "a salt of 15 bytes", encode(changed_slot(hkdf={"salt": "00" * 15})), "DAMAGED"
    yield "a wrapped key that is too short", encode(changed_slot(wrappedKey=SLOT_A["wrappedKey"][:-1])), "DAMAGED"
    yield "a wrapped key with padding", encode(changed_slot(wrappedKey=SLOT_A["wrappedKey"] + "==")), "DAMAGED"
    timed = wrap(hkdf(KEY_A, seed("salt aaaaaaaa", 16), b"coffer/slot/keyfile/v1"), ROOT, bytes(16), 1)
    yield "a wrapped key with a time", encode(changed_slot(wrappedKey=timed)), "DAMAGED"
    for name, label in [
        ("an empty label", ""), ("a label of 65 characters", "x" * 65), ("a label with an escape sequence", "\x1b[31m"),
        ("a label with a newline", "a\nb"), ("a label that reorders text", "a\u202eb"), ("a label that is null", None),
        ("a label with a line separator", "a\u2028b"),
    ]:
        slot = {"id": SLOT_A["id"], "kind": "keyfile", "createdAtMs": 0, "label": label}
        slot |= {"hkdf": SLOT_A["hkdf"], "wrappedKey": SLOT_A["wrappedKey"]}
        yield name, encode(content([slot])), "DAMAGED"
    slot = passphrase_slot("01234567", b"x")
    for member, values in {"memoryKiB": [19455, 1048577, 2**31], "passes": [1, 11], "parallelism": [0, 5]}.items():
        for value in values:
            bad = {**slot, "argon2id": {**slot["argon2id"], member: value}}
            yield f"Argon2id with {member} {value}", encode(content([bad])), "DAMAGED"


def refused_at_unlocking():
    other_root = bytes(range(32))
    good = encode(content([SLOT_A, SLOT_B]))
    yield "another keyfile", encode(ONE), FILE_KEY_B, "WRONG_KEY"
    yield "another passphrase", encode(content([passphrase_slot("01234567", b"right")])), phrase("wrong"), "WRONG_KEY"
    yield "a passphrase in another case", encode(content([passphrase_slot("01234567", b"right")])), phrase("Right"), "WRONG_KEY"
    yield "a passphrase and no passphrase slot", encode(ONE), phrase("right"), "WRONG_KEY"
    recovery = content([keyfile_slot("cccccccc", CODE_A, kind="recovery")])
    yield "another recovery code", encode(recovery), RECOVERY_B, "WRONG_KEY"
    yield "a keyfile slot that was made a recovery slot", encode(content([keyfile_slot("cccccccc", CODE_A)]), ROOT), RECOVERY_A, "WRONG_KEY"
    relabelled = {**keyfile_slot("cccccccc", CODE_A), "kind": "recovery"}
    yield "a slot under the label of another kind", encode(content([relabelled])), RECOVERY_A, "WRONG_KEY"
    keychain = content([keyfile_slot("dddddddd", KEY_A, kind="keychain")])
    item = {"kind": "keychain", "slotId": "dddddddd", "keyHex": KEY_B.hex()}
    yield "another item of the keychain", encode(keychain), item, "KEYCHAIN_ITEM_WRONG"
    yield "an item of another slot", encode(keychain), {**item, "slotId": "dddddddc", "keyHex": KEY_A.hex()}, "KEYCHAIN_ITEM_WRONG"
    token = SLOT_A["wrappedKey"]
    flipped = token[:-1] + ("A" if token[-1] != "A" else "B")
    yield "a damaged token", encode(changed_slot(wrappedKey=flipped)), FILE_KEY_A, "WRONG_KEY"
    cheaper = passphrase_slot("01234567", b"right", {"memoryKiB": 19457, "passes": 2, "parallelism": 1})
    cheaper["argon2id"]["memoryKiB"] = 19456
    yield "a cost that was changed", encode(content([cheaper])), phrase("right"), "WRONG_KEY"
    yield "a MAC of zeros", finish(body_of(ONE), mac=bytes(32)), FILE_KEY_A, "DAMAGED"
    yield "a MAC under another root key", encode(ONE, other_root), FILE_KEY_A, "DAMAGED"
    yield "a slot removed by someone else", finish(body_of(content([SLOT_A])), mac=mac_of(good)), FILE_KEY_A, "DAMAGED"
    relabelled = content([SLOT_A, {**SLOT_B, "label": "usb stick"}])
    yield "a label changed by someone else", finish(body_of(relabelled), mac=mac_of(good)), FILE_KEY_A, "DAMAGED"
    unfinished = encode(rotated([SLOT_A], 2, PREVIOUS))
    yield "a previous root key removed by someone else", finish(body_of(rotated([SLOT_A], 2)), mac=mac_of(unfinished)), FILE_KEY_A, "DAMAGED"
    yield "a key epoch changed by someone else", finish(body_of(rotated([SLOT_A], 3)), mac=mac_of(encode(rotated([SLOT_A], 2)))), FILE_KEY_A, "DAMAGED"
    yield "a generation changed by someone else", finish(body_of(content([SLOT_A, SLOT_B], 2)), mac=mac_of(good)), FILE_KEY_A, "DAMAGED"
    short = keyfile_slot("aaaaaaaa", KEY_A, root=ROOT + b"")
    key = hkdf(KEY_A, seed("salt aaaaaaaa", 16), b"coffer/slot/keyfile/v1")
    short["wrappedKey"] = wrap(key, ROOT + b"more", seed("iv", 16))
    yield "a token of 36 bytes", encode(content([short])), FILE_KEY_A, "DAMAGED"


def mac_of(file):
    return bytes.fromhex(file.decode().split('"mac": "')[1][:64])


def keyfiles():
    good = keyfile(KEY_A)
    line = good.splitlines()[2]
    yield "as Coffer writes it", good, KEY_A
    yield "the key line alone", line, KEY_A
    yield "CRLF and spaces", good.replace("\n", " \r\n") + "\t\r\n", KEY_A
    yield "a byte order mark", "\u00ef\u00bb\u00bf" + good, KEY_A
    yield "other comments", "# für Zoë\n\n" + line + "\n# end", KEY_A
    yield "an empty file", "", "INVALID_INPUT"
    yield "comments only", "# Coffer keyfile.\n", "INVALID_INPUT"
    yield "any other text", "correct horse battery staple\n", "INVALID_INPUT"
    yield "a PEM key", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n", "INVALID_INPUT"
    yield "version 0", line.replace("-v1:", "-v0:"), "INVALID_INPUT"
    yield "too large", good + "#" * 4096, "INVALID_INPUT"
    yield "a newer version", line.replace("-v1:", "-v2:") + ":more", "TOO_NEW"
    yield "a digit changed", line.replace("0001020304", "0001020305"), "DAMAGED"
    yield "a digit of the checksum changed", line[:-1] + ("0" if line[-1] != "0" else "1"), "DAMAGED"
    yield "capitals", line.upper().replace("COFFER-KEYFILE-V1", "coffer-keyfile-v1"), "DAMAGED"
    yield "cut off", line[:-1], "DAMAGED"
    yield "two keys", good + keyfile(KEY_B), "DAMAGED"


def recovery_codes():
    good = recovery_code(CODE_A)
    bare = good.replace("-", "")
    for name, secret in [("zeros", bytes(20)), ("ones", b"\xff" * 20), ("counting", CODE_A), ("hashed", seed("recovery", 20))]:
        yield f"as Coffer writes it: {name}", recovery_code(secret), secret
    yield "without separators", bare, CODE_A
    yield "small letters", good.lower(), CODE_A
    yield "spaces around and inside", "  " + " ".join(bare) + "\n", CODE_A
    yield "several lines", good[:24] + "\r\n" + good[24:] + "\r\n", CODE_A
    yield "comments", "# Coffer recovery code\n#\n" + good + "\n# end", CODE_A
    yield "dashes of a word processor", good.replace("-", "\u2013") + "\u00a0", CODE_A
    yield "a byte order mark", "\ufeff" + good, CODE_A
    yield "look-alikes", recovery_code(CODE_B).replace("0", "O").replace("1", "I").replace("V", "U"), CODE_B
    yield "look-alikes in small letters", recovery_code(CODE_B).replace("0", "o").replace("1", "l").lower(), CODE_B
    yield "empty", "", None
    yield "comments only", "# code\n", None
    yield "a character too few", good[:-1], None
    yield "a character too many", good + "0", None
    yield "a group missing", good[6:], None
    yield "a character that is never in one", good.replace(good[0], "*", 1), None
    yield "a letter of another script", good.replace(good[0], "\u0410", 1), None
    yield "one character changed", ("0" if good[0] != "0" else "2") + good[1:], None
    yield "two neighbours that changed places", good[1] + good[0] + good[2:], None
    yield "neighbours over a dash that changed places", good[:4] + good[6] + "-" + good[4] + good[7:], None
    yield "two groups that changed places", good[6:11] + "-" + good[:5] + good[11:], None
    yield "zeros without checks", "0" * 40, None
    yield "too long", good + " " * 4096, None


def passphrases():
    yield "ASCII", b"correct horse", b"correct horse"
    yield "spaces and tabs count", b" a\tb ", b" a\tb "
    yield "one LF dropped", b"a\n", b"a"
    yield "one CR LF dropped", b"a\r\n", b"a"
    yield "two LF: one dropped", b"a\n\n", b"a\n"
    yield "a CR alone stays", b"a\r", b"a\r"
    yield "lines inside stay", b"a\nb\n", b"a\nb"
    yield "a byte order mark dropped", b"\xef\xbb\xbfa", b"a"
    yield "one of two byte order marks dropped", b"\xef\xbb\xbf\xef\xbb\xbfa", b"\xef\xbb\xbfa"
    yield "decomposed becomes composed", b"e\xcc\x81", b"\xc3\xa9"
    yield "the Angstrom sign becomes the letter", b"\xe2\x84\xab", b"\xc3\x85"
    yield "compatibility characters stay", "\ufb01".encode(), "\ufb01".encode()
    yield "NUL counts", b"a\x00b", b"a\x00b"
    yield "the longest", b"x" * 4096, b"x" * 4096
    yield "the longest and a newline", b"x" * 4096 + b"\n", b"x" * 4096
    yield "empty", b"", None
    yield "a newline only", b"\n", None
    yield "a byte order mark only", b"\xef\xbb\xbf\r\n", None
    yield "one byte too long", b"x" * 4097, None
    yield "Latin-1", b"caf\xe9", None
    yield "an overlong form", b"\xc0\xaf", None
    yield "a surrogate", b"\xed\xa0\x80", None
    yield "cut off in a character", b"a\xe2\x82", None
    yield "beyond Unicode", b"\xf4\x90\x80\x80", None


def write(name, value):
    (HERE / name).write_text(json.dumps(value, indent=2, ensure_ascii=True) + "\n")


write("vault-files.json", {
    "about": "docs/spec/vault-file.md; made by make.py. Files are base64.",
    "rootKeyHex": ROOT.hex(),
    "previousRootKeyHex": PREVIOUS.hex(),
    "vaultId": VAULT_ID,
    "valid": [
        {"name": n, "fileBase64": base64.b64encode(f).decode(), "opens": [{"secret": s, "slotId": i} for s, i in o]}
        for n, f, o in valid()
    ],
    "refusedAtReading": [{"name": n, "fileBase64": base64.b64encode(f).decode(), "code": c} for n, f, c in refused_at_reading()],
    "refusedAtUnlocking": [
        {"name": n, "fileBase64": base64.b64encode(f).decode(), "secret": s, "code": c} for n, f, s, c in refused_at_unlocking()
    ],
})
write("keyfiles.json", {
    "about": "docs/spec/vault-file.md, section 7; made by make.py. The text is Latin-1 here: one character is one byte.",
    "keyfiles": [
        {"name": n, "text": (t.encode("latin-1")).decode("latin-1"), **({"code": k} if isinstance(k, str) else {"keyHex": k.hex()})}
        for n, t, k in keyfiles()
    ],
})
write("recovery-codes.json", {
    "about": "docs/spec/vault-file.md, section 8; made by make.py. Without secretHex it is refused.",
    "recoveryCodes": [
        {"name": n, "code": c, **({} if s is None else {"secretHex": s.hex()})} for n, c, s in recovery_codes()
    ],
})
write("passphrases.json", {
    "about": "docs/spec/vault-file.md, section 6; made by make.py. Without normalHex it is refused.",
    "passphrases": [
        {"name": n, "inputHex": i.hex(), **({} if o is None else {"normalHex": o.hex()})} for n, i, o in passphrases()
    ],
})
