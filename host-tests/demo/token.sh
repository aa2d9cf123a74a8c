# Functions around a throw-away SoftHSM token in a folder: for the demonstration, and for measurements.
# Wants: dir (the folder), bin (our commands), module (SoftHSM's).
# shellcheck shell=bash disable=SC2154

TOKEN=privyseal-demo
KEY=fiam-key
# CKA_ID of the key and of its own certificate; PKCS#11 finds the issuers above it by their subject.
KEY_ID=01

# A word as a shell needs it.
quoted() {
    case $1 in
        *[!A-Za-z0-9_./:=,@%+-]* | "") printf "'%s'" "${1//\'/\'\\\'\'}" ;;
        *) printf '%s' "$1" ;;
    esac
}

# The command line as one would type it at the root of the repository.
typed() {
    local words=()
    for word in "$@"; do words+=("$(quoted "${word#"$PWD/"}")"); done
    printf '%s' "${words[*]}"
}

# Shows a command and runs it; what it prints is left in `said`. What it says on standard error is shown if it fails.
said=
run() {
    if [ -z "${quiet:-}" ]; then printf '   $ %s\n' "$(typed "$@")"; fi
    said=$(timeout 60 "$@" 2>"$dir/stderr") || { cat "$dir/stderr" >&2; return 1; }
}

# PINs reach the tools through the environment, never as an argument.
pkcs11() { run pkcs11-tool --module "$module" "$@"; }
logged_in() { pkcs11 --token-label "$TOKEN" --login --pin env:PIN "$@"; }

# An empty folder with a configuration and two PIN files; what an earlier run left is removed.
prepare() {
    rm -rf "$dir"
    mkdir -p "$dir/tokens"
    printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$dir/tokens" >"$dir/softhsm2.conf"
    local file
    for file in pin so-pin; do
        (umask 077 && od -An -N4 -tu4 /dev/urandom | tr -d ' ' | sed 's/^/0000000/; s/.*\(........\)$/\1/' >"$dir/$file")
    done
    PIN=$(cat "$dir/pin") SO_PIN=$(cat "$dir/so-pin")
    export PIN SO_PIN SOFTHSM2_CONF=$dir/softhsm2.conf
}

initialize() {
    pkcs11 --init-token --slot-index 0 --label "$TOKEN" --so-pin env:SO_PIN
    pkcs11 --token-label "$TOKEN" --login --login-type so --so-pin env:SO_PIN --init-pin --new-pin env:PIN
}

# An RSA-2048 key that can never be read.
generate_key() {
    logged_in --keypairgen --key-type rsa:2048 --id "$KEY_ID" --label "$KEY" --usage-sign --sensitive
}

export_key() {
    pkcs11 --token-label "$TOKEN" --read-object --type pubkey --id "$KEY_ID" --output-file "$dir/public-key.der"
    run openssl pkey -pubin -inform DER -in "$dir/public-key.der" -out "$dir/public-key.pem"
}

# The test CA's leaf for the exported public key, in `pki`.
issue() { run "$bin/test-pki" issue --public-key "$dir/public-key.pem" --out "$dir/pki"; }

store_chain() {
    local certificate
    for certificate in "leaf $KEY_ID $KEY" "issuing 11 issuing-ca" "sub 12 sub-ca" "root 13 root-ca"; do
        set -- $certificate
        logged_in --write-object "$dir/pki/$1.der" --type cert --id "$2" --label "$3"
    done
}

# The query of a key's URI (RFC 7512): how to get at the token. The PIN is named by its file.
access() { printf 'module-path=%s&pin-source=file:%s' "$module" "$dir/pin"; }
key_uri() { printf 'pkcs11:token=%s;object=%s?%s' "$TOKEN" "$KEY" "$(access)"; }
token_uri() { printf 'pkcs11:token=%s?%s' "$TOKEN" "$(access)"; }

# All of it at once.
make_token() {
    prepare
    initialize
    generate_key
    export_key
    issue
    store_chain
    key_uri >"$dir/key-uri"
}
