"""Judges the YubiHSM simulator with Yubico's own client.

Usage: yubihsm_client.py PORT. Wants a simulator fresh from the factory. Prints one line for each check
and exits with a traceback at the first that fails.
"""

import sys
from contextlib import contextmanager

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from yubihsm import YubiHsm
from yubihsm.defs import ALGORITHM, AUDIT, CAPABILITY, COMMAND, ERROR, OBJECT, ORIGIN
from yubihsm.exceptions import YubiHsmAuthenticationError, YubiHsmDeviceError
from yubihsm.objects import AsymmetricKey, AuthenticationKey, Opaque

DOMAIN = 1
MESSAGE = b"header.payload"


def done(what):
    print("ok", what, flush=True)


@contextmanager
def refused(code):
    try:
        yield
    except YubiHsmDeviceError as error:
        assert error.code == code, error
    else:
        raise AssertionError(f"not refused with {code}")


def verify(public, signature):
    public.verify(signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())


def device(hsm):
    info = hsm.get_device_info()
    assert info.version == (2, 4, 0) and info.serial == 12345678 and info.log_size == 62, info
    assert ALGORITHM.RSA_2048 in info.supported_algorithms
    done("device info")


def keys(session):
    generated = AsymmetricKey.generate(
        session, 100, "generated", DOMAIN, CAPABILITY.SIGN_PKCS, ALGORITHM.RSA_2048
    )
    verify(generated.get_public_key(), generated.sign_pkcs1v1_5(MESSAGE, hashes.SHA256()))
    info = generated.get_info()
    assert info.id == 100 and info.label == "generated" and info.origin == ORIGIN.GENERATED
    assert info.object_type == OBJECT.ASYMMETRIC_KEY and info.algorithm == ALGORITHM.RSA_2048
    assert info.capabilities == CAPABILITY.SIGN_PKCS and info.domains == DOMAIN
    done("generate, sign, verify, object info")

    private = rsa.generate_private_key(65537, 2048)
    imported = AsymmetricKey.put(session, 0, "imported", DOMAIN, CAPABILITY.SIGN_PKCS, private)
    assert imported.id not in (0, 100)
    assert imported.get_public_key().public_numbers() == private.public_key().public_numbers()
    signature = imported.sign_pkcs1v1_5(MESSAGE, hashes.SHA256())
    assert signature == private.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    assert imported.get_info().origin == ORIGIN.IMPORTED
    done("import, the same signature as from the key outside")

    with refused(ERROR.OBJECT_EXISTS):
        AsymmetricKey.generate(session, 100, "", DOMAIN, 0, ALGORITHM.RSA_2048)
    with refused(ERROR.OBJECT_NOT_FOUND):
        AsymmetricKey(session, 999).sign_pkcs1v1_5(MESSAGE, hashes.SHA256())
    mute = AsymmetricKey.put(session, 0, "mute", DOMAIN, 0, private)
    with refused(ERROR.INSUFFICIENT_PERMISSIONS):
        mute.sign_pkcs1v1_5(MESSAGE, hashes.SHA256())
    mute.delete()
    with refused(ERROR.OBJECT_NOT_FOUND):
        mute.get_info()
    done("taken id, missing key, missing capability of the key, delete")
    return generated


def certificates(session, key):
    attested = key.attest()
    assert isinstance(attested, x509.Certificate)
    ours, theirs = attested.public_key(), key.get_public_key()
    assert ours.public_numbers() == theirs.public_numbers()
    own = Opaque(session, 0).get_certificate()
    attested.verify_directly_issued_by(own)
    done("attestation, issued by opaque object 0")

    for compress in (False, True):
        stored = Opaque.put_certificate(session, 0, "chain", DOMAIN, 0, attested, compress)
        assert stored.get_certificate() == attested
        assert stored.get_info().algorithm == ALGORITHM.OPAQUE_X509_CERTIFICATE
    done("certificates in opaque objects, plain and gzipped")


def lists(session):
    assert {it.id for it in session.list_objects(object_type=OBJECT.ASYMMETRIC_KEY)} >= {100}
    assert [it.id for it in session.list_objects(label="generated")] == [100]
    assert len(session.list_objects(label="chain", object_type=OBJECT.OPAQUE)) == 2
    assert session.list_objects(label="nothing") == []
    assert [it.id for it in session.list_objects(capabilities=CAPABILITY.SIGN_PKCS)][:1] == [1]
    assert len(session.get_pseudo_random(17)) == 17
    done("lists by kind, label, capability; random")


def permissions(hsm, session):
    AuthenticationKey.put_derived(
        session, 2, "signer", DOMAIN, CAPABILITY.SIGN_PKCS, 0, "signer password"
    )
    AuthenticationKey.put_derived(session, 3, "elsewhere", 2, CAPABILITY.SIGN_PKCS, 0, "elsewhere")
    with hsm.create_session_derived(2, "signer password") as signer:
        key = AsymmetricKey(signer, 100)
        verify(key.get_public_key(), key.sign_pkcs1v1_5(MESSAGE, hashes.SHA256()))
        for forbidden in (
            lambda: Opaque(signer, 0).get(),
            lambda: signer.get_log_entries(),
            lambda: signer.get_force_audit(),
            lambda: key.delete(),
            lambda: AsymmetricKey.generate(signer, 0, "", DOMAIN, 0, ALGORITHM.RSA_2048),
        ):
            with refused(ERROR.INSUFFICIENT_PERMISSIONS):
                forbidden()
    with hsm.create_session_derived(3, "elsewhere") as stranger:
        with refused(ERROR.OBJECT_NOT_FOUND):
            AsymmetricKey(stranger, 100).sign_pkcs1v1_5(MESSAGE, hashes.SHA256())
        assert [it.id for it in stranger.list_objects(object_type=OBJECT.ASYMMETRIC_KEY)] == []
    done("missing capability of the session, another domain")

    for key, password in ((1, "passw0rd"), (2, "password")):
        try:
            hsm.create_session_derived(key, password)
        except YubiHsmAuthenticationError:
            pass
        else:
            raise AssertionError("a wrong password was accepted")
    with refused(ERROR.OBJECT_NOT_FOUND):
        hsm.create_session_derived(99, "password")
    done("wrong password, missing authentication key")


def log(session):
    first = session.get_log_entries()
    assert first.n_boot == 0 and first.n_auth == 0
    signatures = [it for it in first.entries if it.command == COMMAND.SIGN_PKCS1]
    assert [it.result for it in signatures if it.target_key == 100] == [0xC7, 0xC7, 0x7F]
    assert {it.session_key for it in signatures if it.target_key == 100} == {1, 2, 3}

    last = first.entries[-1]
    session.set_log_index(last.number)
    AsymmetricKey(session, 100).sign_pkcs1v1_5(MESSAGE, hashes.SHA256())
    second = [it for it in session.get_log_entries().entries if it.number > last.number]
    assert second[0].validate(last) and second[-1].command == COMMAND.SIGN_PKCS1
    done("log: what was signed by which key, and the chain across a drain")

    session.set_command_audit({COMMAND.ECHO: AUDIT.ON})
    assert session.get_command_audit()[COMMAND.ECHO] == AUDIT.ON
    session.set_force_audit(AUDIT.ON)
    assert session.get_force_audit() == AUDIT.ON
    key = AsymmetricKey(session, 100)
    with refused(ERROR.LOG_FULL):
        for _ in range(100):
            key.sign_pkcs1v1_5(MESSAGE, hashes.SHA256())
    full = session.get_log_entries()
    assert len(full.entries) == 62
    session.set_log_index(full.entries[-1].number)
    key.sign_pkcs1v1_5(MESSAGE, hashes.SHA256())
    session.set_force_audit(AUDIT.OFF)
    done("force-audit: a full log blocks signing until it is drained")


def sessions(hsm):
    opened = []
    with refused(ERROR.SESSIONS_FULL):
        for _ in range(17):
            opened.append(hsm.create_session_derived(1, "password"))
    assert len(opened) == 15, len(opened)
    for session in opened:
        session.close()
    hsm.create_session_derived(1, "password").close()
    done("16 sessions and no more")


def main(port):
    with YubiHsm.connect(f"http://127.0.0.1:{port}") as hsm:
        device(hsm)
        with hsm.create_session_derived(1, "password") as session:
            # Before any login fails: the device keeps a place for the rest of it.
            sessions(hsm)
            key = keys(session)
            certificates(session, key)
            lists(session)
            permissions(hsm, session)
            log(session)


main(int(sys.argv[1]))
