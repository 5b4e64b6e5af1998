"""Encrypts or decrypts a file as one Fernet token: fernet.py encrypt|decrypt KEYFILE SOURCE TARGET"""

import sys

from cryptography.fernet import Fernet

how, key_file, source, target = sys.argv[1:]
with open(key_file, "rb") as file:
    fernet = Fernet(file.read())
with open(source, "rb") as file:
    data = file.read()
with open(target, "xb") as file:
    file.write(fernet.encrypt(data) if how == "encrypt" else fernet.decrypt(data))
