"""What python-ishare's validate_client_assertion says to the cases of a corpus: compare.py FILE.

It judges the request and the assertion by themselves; the trusted list, the registry and revocation are for its caller, so
those cases are left out, and so is what no document demands. An exception that is none of its own or PyJWT's refuses, but is a crash of the service around it.
"""

import collections
import datetime
import json
import sys

import jwt
import jwt.api_jwt
from python_ishare import exceptions, validate_client_assertion
from python_ishare.verification import ASSERTION_TYPE

OWN = tuple(each for each in vars(exceptions).values() if isinstance(each, type) and issubclass(each, Exception))
FOR_THE_CALLER = {"chain-trusted", "party-status", "unavailable", "revocation", "replay"}


def at(seconds):
    class Clock(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.datetime.fromtimestamp(seconds, tz)

    jwt.api_jwt.datetime = Clock


def judged(case, audience):
    at(case["now"])
    try:
        validate_client_assertion(
            client_id=case["client_id"], client_assertion=case["client_assertion"], audience=audience,
            grant_type="client_credentials", scope="iSHARE", client_assertion_type=ASSERTION_TYPE)
    except (*OWN, jwt.PyJWTError):
        return "refused"
    except Exception:
        return "crash"
    return "accepted"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        corpus = json.load(file)
    cases = [case for case in corpus["cases"] if case["rule"] not in FOR_THE_CALLER and not case["source"].startswith("a choice: ")]
    table = collections.defaultdict(collections.Counter)
    for case in cases:
        table[case["rule"] or "(right)"][judged(case, corpus["audience"])] += 1
    print(f"{len(cases)} cases\n\n| rule | cases | accepted | refused | crash |\n|---|---:|---:|---:|---:|")
    for rule, counts in sorted(table.items()):
        print(f"| `{rule}` | {counts.total()} | {counts['accepted']} | {counts['refused']} | {counts['crash']} |")


main()
