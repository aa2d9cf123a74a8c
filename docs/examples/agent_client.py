"""Asks privyseal's agent for assertions, and has Authlib get an access token with each.

    agent_client.py SOCKET PROFILE TOKEN_ENDPOINT

Needs Authlib and requests; what speaks to the agent is of the standard library.
"""

import http.client
import json
import socket
import sys

from authlib.common.urls import add_params_to_qs
from authlib.integrations.requests_client import OAuth2Session


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
agent = Agent(path)


def by_agent(client, method, uri, headers, body):
    """A new assertion for each request: it is good once."""
    names = "client_id", "client_assertion_type", "client_assertion"
    assertion = agent.assertion(profile)
    return uri, headers, add_params_to_qs(body, [(name, assertion[name]) for name in names])


session = OAuth2Session(token_endpoint_auth_method=by_agent)
token = session.fetch_token(endpoint, grant_type="client_credentials")
print(f"{token['token_type']}, {token['expires_in']} s")
