"""Judges and makes iSHARE assertions with python-ishare and with jwcrypto.

stdin: a JSON object with `action` and what it needs. stdout: JSON, if everything holds; otherwise the name of
the exception on stderr and exit code 1.

validate  client_id, token, audience[, strict_eori]: python-ishare's validate_client_assertion
create    key (PEM), chain (base64 DER), iss, aud[, whole_seconds]: python-ishare's create_jwt
verify    token: jwcrypto, with the key of the first certificate; gives the claims
make      key (PEM), chain (base64 DER), claims: jwcrypto
"""

import base64
import json
import sys
import time

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from jwcrypto import jwk, jws, jwt
from python_ishare import create_jwt, validate_client_assertion
from python_ishare.verification import ASSERTION_TYPE


def chain(question):
    return [x509.load_der_x509_certificate(base64.b64decode(c)) for c in question["chain"]]


def validate(question):
    return validate_client_assertion(
        client_id=question["client_id"],
        client_assertion=question["token"],
        audience=question["audience"],
        grant_type="client_credentials",
        scope="iSHARE",
        client_assertion_type=ASSERTION_TYPE,
        strict_eori=question.get("strict_eori", False),
    )


def create(question):
    if question.get("whole_seconds"):
        # It writes time.time() as it is, with a fraction.
        now = int(time.time())
        time.time = lambda: now
    party = {"iss": question["iss"], "sub": question["iss"], "aud": question["aud"]}
    key = load_pem_private_key(question["key"].encode(), None)
    return create_jwt(party, key, chain(question))


def verify(question):
    token = jws.JWS()
    token.deserialize(question["token"])
    leaf = base64.b64decode(token.jose_header["x5c"][0], validate=True)
    pem = x509.load_der_x509_certificate(leaf).public_bytes(Encoding.PEM)
    token.verify(jwk.JWK.from_pem(pem), alg="RS256")
    return json.loads(token.payload)


def make(question):
    header = {"alg": "RS256", "typ": "JWT", "x5c": question["chain"]}
    token = jwt.JWT(header=header, claims=question["claims"])
    token.make_signed_token(jwk.JWK.from_pem(question["key"].encode()))
    return token.serialize()


ACTIONS = {"validate": validate, "create": create, "verify": verify, "make": make}

if __name__ == "__main__":
    asked = json.load(sys.stdin)
    try:
        answer = ACTIONS[asked["action"]](asked)
    except Exception as error:  # Whatever it is, it is a refusal; its name says which.
        sys.exit(type(error).__name__)
    json.dump(answer, sys.stdout)
