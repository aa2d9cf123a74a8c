"""An authorization server of Authlib's for clients with private_key_jwt, on loopback.

Reads one line of JSON from stdin: `client_id` and `certificate` (base64 DER), by which it knows the client, and
`tls`, a PEM file for loopback; prints one line, `listening on https://127.0.0.1:PORT`. POST /token gives tokens; GET /asked, the members of the last form that it
took, but for the assertion. It ends when stdin ends, and after LIFE seconds in any case.

Authlib judges assertions and forms. The key is the certificate's, and the header must name that one: by kid (RFC 7638),
x5c or x5t#S256.
"""

import base64
import hashlib
import json
import os
import ssl
import sys
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Payload, OAuth2Request, grants
from authlib.oauth2.rfc6749.errors import InvalidClientError
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import RSAKey
from joserfc.jws import JWSRegistry

JWSRegistry.max_header_length = 64 * 1024  # by default too little for x5c

LIFE = 600
setup = json.loads(sys.stdin.readline())
der = base64.b64decode(setup["certificate"])
pem = x509.load_der_x509_certificate(der).public_key().public_bytes(
    Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
)
key = RSAKey.import_key(pem)
digest = base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()
seen, asked = set(), {}


class Client:
    client_id = setup["client_id"]

    def check_endpoint_auth_method(self, method, endpoint):
        return method == JWTBearerClientAssertion.CLIENT_AUTH_METHOD

    def check_grant_type(self, grant_type):
        return grant_type == "client_credentials"

    def get_allowed_scope(self, scope):
        return scope or ""


class Assertion(JWTBearerClientAssertion):
    def get_audiences(self):
        return [f"{issuer}/token"]

    def validate_jti(self, claims, jti):
        is_new = jti not in seen
        seen.add(jti)
        return is_new

    def resolve_client_public_key(self, client, headers):
        named = [
            headers.get("kid") == key.thumbprint(),
            headers.get("x5t#S256") == digest,
            headers.get("x5c", [None])[0] == setup["certificate"],
        ]
        if named.count(True) != 1:
            raise InvalidClientError(description="The header names another key.")
        return key


class Grant(grants.ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = [Assertion.CLIENT_AUTH_METHOD]


class Payload(OAuth2Payload):
    def __init__(self, pairs):
        self.data = dict(pairs)
        self.datalist = defaultdict(list)
        for name, value in pairs:
            self.datalist[name].append(value)

    data = datalist = None


class Request(OAuth2Request):
    def __init__(self, pairs, headers):
        super().__init__("POST", f"{issuer}/token", headers=headers)
        self.payload = Payload(pairs)

    args = {}

    @property
    def form(self):
        return self.payload.data


class Server(AuthorizationServer):
    def query_client(self, client_id):
        return Client() if client_id == Client.client_id else None

    def save_token(self, token, request):
        asked.clear()
        asked.update(request.form)
        del asked["client_assertion"]

    def create_oauth2_request(self, request):
        return request

    def handle_response(self, status, body, headers):
        return status, body

    def send_signal(self, *args, **kwargs):
        pass


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        pairs = parse_qsl(body, keep_blank_values=True, strict_parsing=True)
        self.answer(*server.create_token_response(Request(pairs, dict(self.headers))))

    def do_GET(self):
        self.answer(200, asked)

    def answer(self, status, body):
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass


server = Server()
generator = BearerTokenGenerator(lambda **_: os.urandom(16).hex())
server.register_token_generator("default", generator)
server.register_client_auth_method(Assertion.CLIENT_AUTH_METHOD, Assertion())
server.register_grant(Grant)

http = HTTPServer(("127.0.0.1", 0), Handler)
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(setup["tls"])
http.socket = tls.wrap_socket(http.socket, server_side=True)
issuer = f"https://127.0.0.1:{http.server_port}"
threading.Timer(LIFE, lambda: os._exit(1)).start()
threading.Thread(target=http.serve_forever, daemon=True).start()
print(f"listening on {issuer}", flush=True)
sys.stdin.read()
os._exit(0)
