"""Writes the vaults of the original Python application in this folder, with what can be wrong in them, and expected.json.

    python3 vectors/discordopus/make.py

Rows and tokens are made here, with Python's `cryptography` and none of Coffer's code. packages/database/scripts/write-foreign.ts puts the rows into
databases with a standard SQLCipher 4, which it installs by npm (or takes from COFFER_SQLCIPHER, a folder with @signalapp/sqlcipher in node_modules).
Databases have random salts and IVs, so running it again gives other bytes with the same content; tokens are the same each time.
"""

import base64
import hashlib
import json
import pathlib
import shutil
import subprocess
import tempfile

from cryptography.fernet import Fernet

HERE = pathlib.Path(__file__).parent
THRESHOLD = 102_400


def seed(text, length):
    return hashlib.sha256(text.encode()).digest()[:length]


DATABASE_KEY = seed("database key", 32)
FERNET_KEY = base64.urlsafe_b64encode(seed("Fernet key", 32))
OTHER_FERNET_KEY = base64.urlsafe_b64encode(seed("another Fernet key", 32))
PASSPHRASE = "correct horse battery staple"

SCHEMA = """
CREATE TABLE files (
    id TEXT PRIMARY KEY, filename TEXT, mime_type TEXT, size INTEGER, hash TEXT,
    data BLOB, file_path TEXT, created_at, transfer_id TEXT
);
CREATE TABLE file_transfers (id TEXT PRIMARY KEY, peer TEXT, state TEXT);
"""


def content(name, size):
    """Bytes that do not repeat, and are the same each time."""
    blocks = (hashlib.sha256(f"{name} {number}".encode()).digest() for number in range(size // 32 + 1))
    return b"".join(blocks)[:size]


def token(name, message, key=FERNET_KEY):
    # The method that `encrypt` and `encrypt_at_time` call with a random IV.
    sealed = Fernet(key)._encrypt_from_parts(message, 1_700_000_000, seed(f"IV of {name}", 16))
    assert Fernet(key).decrypt(sealed) == message
    return sealed


def literal(value):
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)


class Vault:
    def __init__(self, name):
        self.folder = HERE / name
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "files").mkdir(parents=True)
        self.rows, self.expected = [], []

    def add(self, filename, message, *, outcome="imported", name=None, notes=(), modified=None, token_bytes=None, file=None, **columns):
        """`file` is the name of the sealed file; without one the message is in the row."""
        row_id = f"{len(self.rows) + 1:08x}-0000-4000-8000-000000000000"
        row = {
            "id": row_id,
            "filename": filename,
            "mime_type": "application/octet-stream",
            "size": len(message),
            "hash": hashlib.sha256(message).hexdigest(),
            "data": message if file is None else None,
            "file_path": None if file is None else f"files/{file}",
            "created_at": 1_700_000_000,
            "transfer_id": None,
        } | columns
        if file is not None and token_bytes is not False:
            (self.folder / "files" / file).write_bytes(token(file, message) if token_bytes is None else token_bytes)
        self.rows.append(row)
        entry = {"id": row_id, "outcome": outcome}
        if outcome == "imported":
            entry |= {
                "name": filename if name is None else name,
                "sizeBytes": len(message),
                "sha256": hashlib.sha256(message).hexdigest(),
                "notes": list(notes),
                "modifiedAtMs": 1_700_000_000_000 if modified is None else modified,
            }
        self.expected.append(entry)

    def sql(self):
        lines = [SCHEMA]
        for row in self.rows:
            lines.append(f"INSERT INTO files ({', '.join(row)}) VALUES ({', '.join(map(literal, row.values()))});")
        return "\n".join(lines)


def make_app():
    vault = Vault("app")
    add = vault.add
    add("hello.txt", b"hello", mime_type="text/plain")
    add("empty.bin", b"", data=b"")
    add("just below.bin", content("below", THRESHOLD - 1), created_at="2023-11-14T22:13:20.250000", modified=1_700_000_000_250)
    add("Grüße 🗝.bin", content("threshold", THRESHOLD), file="threshold.enc", created_at=1_700_000_000.5, modified=1_700_000_000_500)
    add("moved on Linux", b"a token at an absolute path", file="linux.enc", file_path="/home/someone/.local/share/app/files/linux.enc")
    add("moved from Windows", b"and at one of Windows", file="windows.enc", file_path="C:\\Users\\someone\\AppData\\app\\files\\windows.enc", created_at=1_700_000_000_123, modified=1_700_000_000_123)
    add("ends with a newline", b"as echo writes it", file="newline.enc", token_bytes=token("newline.enc", b"as echo writes it") + b"\n")
    add("empty and sealed", b"", file="empty.enc")
    add("Cafe\u0301.txt", b"decomposed", name="Caf\u00e9.txt", created_at="2023-11-14 22:13:20")
    add("image.png", b"first image", mime_type="image/png")
    add("image.png", b"second image", mime_type="image/png", name="image (2).png", created_at="2023-11-15T00:13:20+02:00")
    add("image.png", b"first image", mime_type="image/png", outcome="same")
    add("UPPER.txt", b"hash in capitals", hash=hashlib.sha256(b"hash in capitals").hexdigest().upper())
    add("binary hash", b"hash as bytes", hash=hashlib.sha256(b"hash as bytes").digest())
    add("text data", b"a text in the place of a BLOB", data="a text in the place of a BLOB")
    add("no hash.txt", b"nobody knows", hash=None, notes=["unverified"])
    add("no size.txt", b"no size", size=None)
    add("no time.txt", b"when was it", created_at="yesterday", notes=["no-time"], modified=False)
    add("no type.txt", b"no type", mime_type=None)
    add("../../.ssh/authorized_keys", b"a name with folders", name="authorized_keys", notes=["renamed"])
    add("C:\\Temp\\a<b>.txt", b"a name of Windows", name="a<b>.txt", notes=["renamed"])
    add("..", b"no name at all", name="file 00000016-0000-4000-8000-000000000000", notes=["renamed"])
    add(None, b"no name given", name="file 00000017-0000-4000-8000-000000000000", notes=["renamed"])
    add("x" * 300 + ".txt", b"a long name", name="x" * 251 + ".txt", notes=["renamed"])

    add("wrong hash", b"changed", outcome="failed", hash=hashlib.sha256(b"original").hexdigest())
    add("wrong size", b"shorter", outcome="failed", size=8)
    add("no real hash", b"what", outcome="failed", hash="d41d8cd98f00b204e9800998ecf8427e")
    add("nothing at all", b"", outcome="failed", data=None, size=5, hash=hashlib.sha256(b"where?").hexdigest())
    add("a number", b"5", outcome="failed", data=5)
    add("sealed, wrong hash", b"changed", outcome="failed", file="wrong-hash.enc", hash=hashlib.sha256(b"original").hexdigest())
    message = b"what a token looks like when a bit has changed"
    flipped = bytearray(token("flipped.enc", message))
    flipped[60] = ord("A") if flipped[60] != ord("A") else ord("B")
    add("flipped", message, outcome="failed", file="flipped.enc", token_bytes=bytes(flipped))
    add("cut off", message, outcome="failed", file="cut.enc", token_bytes=token("cut.enc", message)[:-20])
    add("no token", message, outcome="failed", file="none.enc", token_bytes=b"this was never a token")
    add("empty token", message, outcome="failed", file="nothing.enc", token_bytes=b"")
    add("another key", message, outcome="failed", file="other-key.enc", token_bytes=token("other-key.enc", message, OTHER_FERNET_KEY))
    add("missing", message, outcome="failed", file="missing.enc", token_bytes=False)
    add("outside", message, outcome="failed", file="x.enc", token_bytes=False, file_path="../outside.enc")
    add("absolute and elsewhere", message, outcome="failed", file="x.enc", token_bytes=False, file_path="/etc/hostname")
    add("a folder", message, outcome="failed", file="x.enc", token_bytes=False, file_path="files")
    add("NUL in the path", message, outcome="failed", file="x.enc", token_bytes=False, file_path=b"files/linux.enc\0")
    (HERE / "outside.enc").write_bytes(token("outside.enc", message))
    return vault


def make_small(name):
    vault = Vault(name)
    vault.add("one.txt", b"one", mime_type="text/plain")
    vault.add("two.txt", b"two", file="two.enc", mime_type="text/plain")
    return vault


def main():
    (HERE / "database.key").write_text(DATABASE_KEY.hex() + "\n")
    (HERE / "fernet.key").write_bytes(FERNET_KEY + b"\n")
    (HERE / "passphrase.txt").write_text(PASSPHRASE + "\n")
    app, passphrase, log = make_app(), make_small("passphrase"), make_small("log")
    raw = f"x'{DATABASE_KEY.hex()}'"
    plan = [
        {"path": str(app.folder / "data.db"), "key": raw, "sql": app.sql(), "leaveLog": False},
        {"path": str(passphrase.folder / "data.db"), "key": PASSPHRASE, "sql": passphrase.sql(), "leaveLog": False},
        # As an application leaves it that was killed: everything is in the log.
        {"path": str(log.folder / "data.db"), "key": raw, "sql": log.sql(), "leaveLog": True},
    ]
    with tempfile.TemporaryDirectory() as temporary:
        path = pathlib.Path(temporary) / "plan.json"
        path.write_text(json.dumps(plan))
        script = HERE.parents[1] / "packages/database/scripts/write-foreign.ts"
        subprocess.run(["node", "--conditions=@coffer/source", str(script), str(path)], check=True)
    expected = {"app": app.expected, "passphrase": passphrase.expected, "log": log.expected}
    (HERE / "expected.json").write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n")


main()
