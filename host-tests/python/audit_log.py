"""Judges the chain of an agent's audit log, and prints its lines. It shares no code with what writes them.

A line is a JSON object that ends in its link: SHA-256 of the link before and of the line up to `,"link":`. The first line
says what it is linked to."""

import hashlib
import json
import sys

before = None
with open(sys.argv[1], "rb") as log:
    for number, line in enumerate(log, 1):
        entry = json.loads(line)
        body, link = line.rstrip(b"\n").rsplit(b',"link":', 1)
        if before is None:
            before = bytes.fromhex(entry["before"])
            sequence = entry["sequence"]
        expected = hashlib.sha256(before + body).hexdigest()
        if entry["link"] != expected or link != b'"%s"}' % expected.encode():
            sys.exit(f"line {number} is not linked to the one before it")
        if entry["sequence"] != sequence:
            sys.exit(f"line {number} has not the next number")
        before, sequence = bytes.fromhex(expected), sequence + 1
        print(line.decode(), end="")
