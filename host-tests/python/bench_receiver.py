"""How long python-ishare's validate_client_assertion takes for one assertion, which comes as JSON on standard input."""

import json
import sys
import time

from python_ishare import validate_client_assertion
from python_ishare.verification import ASSERTION_TYPE

asked = json.load(sys.stdin)


def judge():
    validate_client_assertion(
        client_id=asked["client_id"], client_assertion=asked["token"], audience=asked["audience"],
        grant_type="client_credentials", scope="iSHARE", client_assertion_type=ASSERTION_TYPE)


judge()
start = time.perf_counter()
for _ in range(asked["count"]):
    judge()
print(f"python-ishare, which leaves certificates to its caller: {(time.perf_counter() - start) * 1e6 / asked['count']:.1f}\u00b5s")
