"""Whether an OpenAPI document says what a server answers.

    openapi_check.py DOCUMENT < exchanges

Each line of the exchanges is a JSON object: method, path, status, type, body. Each must be in the document, its body obey the
schema there, and each operation of the document must have been answered with success."""

import json
import re
import sys

from jsonschema import Draft202012Validator

with open(sys.argv[1]) as file:
    document = json.load(file)


def resolved(node):
    while "$ref" in node:
        target = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def operation_of(exchange):
    for path, operations in document["paths"].items():
        pattern = re.sub(r"\{\w+\}", "[A-Za-z0-9_-]+", path)
        if re.fullmatch(pattern, exchange["path"]) and exchange["method"].lower() in operations:
            return path, operations[exchange["method"].lower()]
    sys.exit(f"not in the document: {exchange}")


succeeded = set()
for line in sys.stdin:
    exchange = json.loads(line)
    path, operation = operation_of(exchange)
    responses = operation["responses"]
    status = str(exchange["status"])
    if status not in responses:
        sys.exit(f"{status} is not documented: {exchange}")
    content = resolved(responses[status])["content"]
    media_type = exchange["type"].split(";")[0]
    if media_type not in content:
        sys.exit(f"{media_type} is not documented: {exchange}")
    if media_type.endswith("json"):
        schema = {**content[media_type]["schema"], "components": document["components"]}
        Draft202012Validator(schema).validate(json.loads(exchange["body"]))
    if status == "200":
        succeeded.add(path)
missing = set(document["paths"]) - succeeded
if missing:
    sys.exit(f"never answered with success: {missing}")
