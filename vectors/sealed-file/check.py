"""Opens every vector of this folder with docs/spec/decode.py:  python3 vectors/sealed-file/check.py"""

import hashlib
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent / "docs" / "spec"))
sys.dont_write_bytecode = True

from decode import Refused, open_file  # noqa: E402


def outcome(vector):
    file = b"".join(bytes.fromhex(part).ljust(4096, b"\0") for part in vector["header"])
    file += b"".join(bytes.fromhex(part) for part in vector["tokens"])
    keys = {int(epoch): bytes.fromhex(key) for epoch, key in vector["storageKeys"].items()}
    try:
        content = open_file(file[: vector.get("fileSize")], bytes.fromhex(vector["fileId"]), keys)
    except Refused as refused:
        return refused.args[0]
    return hashlib.sha256(content).hexdigest()


vectors = json.loads((HERE / "valid.json").read_text()) + json.loads((HERE / "invalid.json").read_text())
failed = 0
for vector in vectors:
    expected = vector.get("error") or vector["expected"]["plaintextSha256"]
    if outcome(vector) != expected:
        failed += 1
        print(f"{vector['name']}: {outcome(vector)} instead of {expected}", file=sys.stderr)
print(f"{len(vectors) - failed} as expected, {failed} not")
sys.exit(1 if failed else 0)
