"""Runs a command with a controlling terminal of its own, while its stdin, stdout and stderr may be pipes.

Takes a job as JSON in argv[1], plays its steps (wait for a text on the terminal, then type, hang up or send a signal)
and writes what came out, and how the command ended, as JSON to stdout.
"""

import base64
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import threading
import time

job = json.loads(sys.argv[1])
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, job.get("columns", 80), 0, 0))
pipes = {number: os.pipe() for number, name in enumerate(("stdin", "stdout", "stderr")) if name not in job["terminal"]}

child = os.fork()
if child == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for number in range(3):
        os.dup2(pipes[number][0 if number == 0 else 1] if number in pipes else slave, number)
    os.closerange(3, 256)
    os.environ.pop("CI", None)
    os.environ.update(job.get("env", {}))
    os.execvp(job["command"][0], job["command"])

# Our own descriptor of the slave stays open: a terminal that nobody has open reads as hung up, and a program whose three
# streams are pipes opens it only when it asks.
output = {master: b""}
for number, (reader, writer) in pipes.items():
    os.close(reader if number == 0 else writer)
    if number > 0:
        output[reader] = b""


def feed(fd):
    try:
        with os.fdopen(fd, "wb") as stdin:
            stdin.write(base64.b64decode(job.get("input", "")))
    except BrokenPipeError:
        pass


if 0 in pipes:
    threading.Thread(target=feed, args=(pipes[0][1],), daemon=True).start()

steps = list(job["steps"])
seen = 0
reading = set(output)
deadline = time.monotonic() + job.get("timeoutSeconds", 120)
status = None
while True:
    ready = select.select(list(reading), [], [], 0.05 if status is None else 0)[0]
    for fd in ready:
        try:
            data = os.read(fd, 65536)
        except OSError:
            data = b""
        output[fd] += data
        if not data:
            reading.discard(fd)
    if status is not None and not ready:
        break
    if steps and re.search(steps[0]["wait"], output[master][seen:].decode("utf-8", "replace")):
        step = steps.pop(0)
        seen = len(output[master])
        if "type" in step:
            os.write(master, step["type"].encode())
        if "signal" in step:
            os.kill(child, getattr(signal, step["signal"]))
        if step.get("hangUp"):
            reading.discard(master)
            os.close(master)
    if status is None:
        if time.monotonic() >= deadline:
            os.kill(child, signal.SIGKILL)
        pid, raw = os.waitpid(child, os.WNOHANG)
        if pid:
            status = "timed out" if time.monotonic() >= deadline else os.waitstatus_to_exitcode(raw)


def text(number):
    return output[pipes[number][0]].decode("utf-8", "replace") if number in pipes else ""


screen = output[master].decode("utf-8", "replace")
print(json.dumps({"screen": screen, "stdout": text(1), "stderr": text(2), "status": status, "stepsLeft": len(steps)}))
