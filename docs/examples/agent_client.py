"""Asks privyseal's agent for an assertion, and a server for an access token with it. Standard library only.

    agent_client.py SOCKET PROFILE TOKEN_ENDPOINT
"""

import http.client
import json
import socket
import sys
import urllib.parse
import urllib.request


class Agent(http.client.HTTPConnection):
    """HTTP over the agent's Unix socket."""

    def __init__(self, path):
        super().__init__("localhost")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self.path)

    def assertion(self, profile):
        self.request("POST", f"/v1/{profile}/assertion")
        response = self.getresponse()
        answer = json.load(response)
        if response.status != 200:
            raise RuntimeError(f"{answer['kind']}: {answer['detail']}")
        return answer


path, profile, endpoint = sys.argv[1:]
assertion = Agent(path).assertion(profile)
form = {
    "grant_type": "client_credentials",
    "client_id": assertion["client_id"],
    "client_assertion_type": assertion["client_assertion_type"],
    "client_assertion": assertion["client_assertion"],
}
body = urllib.parse.urlencode(form).encode()
with urllib.request.urlopen(endpoint, body) as response:
    token = json.load(response)
print(f"{token['token_type']}, {token['expires_in']} s")
