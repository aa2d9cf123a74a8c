"""An assertion and an access token from Python, by the standard library's ctypes.

    python3 token.py /usr/lib/libprivyseal.so config.toml kpn
"""

import ctypes
import sys
from ctypes import POINTER, byref, c_char_p, c_int, c_void_p


class PrivysealError(Exception):
    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class Client:
    """A client of a profile. Threads may share it: ctypes lets others run during a call."""

    def __init__(self, library, config, profile):
        self._lib = ctypes.CDLL(library)
        texts, out = POINTER(c_void_p), c_void_p
        for name, arguments in {
            "privyseal_open": [c_char_p, c_char_p, texts, texts],
            "privyseal_self_test": [out, texts],
            "privyseal_assertion": [out, c_char_p, texts, texts],
            "privyseal_token": [out, texts, texts],
        }.items():
            function = getattr(self._lib, name)
            function.argtypes, function.restype = arguments, c_int
        for name in ("privyseal_free", "privyseal_close"):
            function = getattr(self._lib, name)
            function.argtypes, function.restype = [c_void_p], None
        client = c_void_p()
        self._call(self._lib.privyseal_open, config.encode(), profile.encode(), byref(client))
        self._client = client

    def self_test(self):
        self._call(self._lib.privyseal_self_test, self._client)

    def assertion(self, audience=None):
        return self._text(self._lib.privyseal_assertion, self._client, audience and audience.encode())

    def token(self):
        return self._text(self._lib.privyseal_token, self._client)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._lib.privyseal_close(self._client)

    def _text(self, function, *arguments):
        result = c_void_p()
        self._call(function, *arguments, byref(result))
        return self._take(result)

    def _call(self, function, *arguments):
        error = c_void_p()
        status = function(*arguments, byref(error))
        if status != 0:
            raise PrivysealError(status, self._take(error))

    def _take(self, text):
        try:
            return ctypes.string_at(text).decode()
        finally:
            self._lib.privyseal_free(text)


if __name__ == "__main__":
    try:
        with Client(*sys.argv[1:4]) as client:
            client.self_test()
            print(client.assertion())
            print(client.token())
    except PrivysealError as error:
        print(error, file=sys.stderr)
        sys.exit(error.status)
