"""Whether one of two tokens has a signature that tells a factor of the modulus: right for one prime alone (Boneh, DeMillo, Lipton).

factor.py MODULUS, in hexadecimal; reads a JSON array of the token as it should be and as it came. Ends with 1 where one does.
"""

import base64
import binascii
import hashlib
import json
import math
import sys

DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


def encoded(token, size):
    """EMSA-PKCS1-v1_5 of the signing input, as a number (RFC 8017 section 9.2)."""
    info = DIGEST_INFO + hashlib.sha256(token.rpartition(".")[0].encode()).digest()
    return int.from_bytes(b"\0\1" + b"\xff" * (size - 3 - len(info)) + b"\0" + info, "big")


def main():
    modulus = int(sys.argv[1], 16)
    tokens = json.load(sys.stdin)
    size = len(sys.argv[1]) // 2
    for signature in (token.rpartition(".")[2] for token in tokens):
        try:
            number = int.from_bytes(base64.urlsafe_b64decode(signature + "=="), "big")
        except (binascii.Error, ValueError):
            continue
        power = pow(number, 65537, modulus)
        for token in tokens:
            if math.gcd(power - encoded(token, size), modulus) not in (1, modulus):
                sys.exit(1)


main()
