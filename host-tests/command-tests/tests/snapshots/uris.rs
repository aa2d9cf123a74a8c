//! Key URIs that are wrong, and keys that are not there.

use crate::Transcript;

#[test]
fn keys_that_no_backend_has() {
    let mut transcript = Transcript::exact();
    for uri in [
        "",
        "K",
        "file:key.pem",
        "pkcs12:token=T",
        "PKCS11:token=T;object=K?module-path=/nowhere/m.so",
        "pkcs11:token=T;object=K?module-path=m.so",
        "pkcs11:token=T;object=K?module-name=softhsm",
        "pkcs11:token=T;token=U;object=K?module-path=/m.so",
        "pkcs11:token=T;x-y=z?module-path=/m.so",
        "pkcs11:token=T;colour=red?module-path=/m.so",
        "pkcs11:token=%zz?module-path=/m.so",
        "pkcs11:token=%ff?module-path=/m.so",
        "pkcs11:token=T;id=%0?module-path=/m.so",
        "pkcs11:token=T;type=cert?module-path=/m.so",
        "pkcs11:token=T;slot-id=one?module-path=/m.so",
        "pkcs11:token=T?module-path=/m.so&pin-source=file:/nowhere/pin",
        "pkcs11:token=T?module-path=/m.so&pin-source=env:PIN",
        "pkcs11:token=T?module-path=/m.so&pin-source=|cat",
        "pkcs11:token=T?module-path=/m.so&pin-value=1&pin-source=file:/f",
        "pkcs11:token=T?module-path=/m.so&module-path=/n.so",
        "pkcs11:token=T object=K",
        "pkcs11:to ken=T",
        "yubihsm:",
        "yubihsm:key-id=100",
        "yubihsm:host=127.0.0.1;port=0;key-id=100",
        "yubihsm:host=127.0.0.1;port=65536;key-id=100",
        "yubihsm:host=127.0.0.1;port=1;key-id=0x64",
        "yubihsm:host=127.0.0.1;port=1;key-id=100;key-id=101",
        "yubihsm:host=127.0.0.1;port=1;auth-key=0;key-id=100",
        "yubihsm:host=127.0.0.1;port=1;key-id=100?pin-source=file:/nowhere/pin",
        "yubihsm:usb=1;host=127.0.0.1;key-id=100",
        "device:",
        "device:/nowhere/tty",
        "device:/dev/null",
        "device:unix:/nowhere/socket",
        "device:/dev/null?baud=fast",
        "device:/dev/null?speed=1",
        "device:/dev/null?key-sha256=00",
    ] {
        transcript.run(&["keys", "--key", uri]);
    }
    transcript.is("key_uris");
}
