#!/usr/bin/env bash
# The whole pipeline, step by step, with a throw-away token; `cargo xtask demo` builds the commands and starts it with a
# folder, our commands' folder and SoftHSM's module. Each step says what happens, shows the command as one would type it,
# and runs that command.
set -euo pipefail
dir=$1 bin=$2 module=$3
. "$(dirname "$0")/token.sh"

# The client id of the party that signs: the seed's own form of a Dutch party id.
CLIENT_ID=EU.EORI.NL123456789
started=$SECONDS

step() { printf '\n%s. %s\n%s\n' "$1" "$2" "$(sed 's/^/   /' <<<"$3")"; }
show() { sed 's/^/     /' <<<"$1"; }
shown() { printf '%s' "${1#"$PWD/"}"; }
fail() { printf 'failed: %s\n' "$1" >&2; exit 1; }

# A part of a compact JWS, decoded (RFC 4648 section 5).
base64url() { printf '%s%s' "$(tr -- '-_' '+/' <<<"$1" | tr -d '\n')" "$(printf '%.*s' $(((4 - ${#1} % 4) % 4)) ===)" | base64 -d; }
# JSON as a person reads it, with long opaque strings shortened.
readable() { sed -E 's/("access_token":".{12})[^"]*"/\1.."/; s/"([A-Za-z0-9+\/_.=-]{12})[A-Za-z0-9+\/_.=-]{100,}"/"\1.."/g; s/","/",\n "/g; s/,"/,\n "/g'; }
utc() { date -u -d "@$1" '+%F %T UTC'; }
claim() { sed -E "s/.*\"$1\":([0-9]+).*/\1/" <<<"$claims"; }

step 1 "A throw-away token" \
"SoftHSM is a token in software: the same PKCS#11 calls as a card or a network HSM, none of
their protection. It lives under the build folder; its PINs are random, in files only you can
read, and reach the tools through the environment, never as an argument."
prepare
printf '   $ export SOFTHSM2_CONF=%s\n' "$(typed "$SOFTHSM2_CONF" | sed "s|^|\$PWD/|; s|^\$PWD//|/|")"
printf '   $ export PIN=$(cat %s) SO_PIN=$(cat %s)\n' "$(shown "$dir/pin")" "$(shown "$dir/so-pin")"
initialize

step 2 "A key that is born on the token and stays there" \
"RSA-2048, marked sensitive: its value can never be read, also not with the PIN."
generate_key
show "$said"
[[ $said == *sensitive* && $said == *"never extractable"* ]] \
    || fail "the token did not make the key sensitive and never extractable"
export_key

step 3 "An eSeal certificate from a test CA" \
"Three levels (root, sub CA, issuing CA) as qualified trust services have them. The leaf may be
used for one thing, nonRepudiation, and names the organization in its subject.
The CA sees the public key only."
issue
run openssl x509 -inform DER -in "$dir/pki/leaf.der" -noout -subject -dates -ext keyUsage
show "$said"

step 4 "The chain goes onto the token" \
"FIAM wants the whole chain in every token, root included. Kept beside the key, one URI is all
a client needs."
store_chain
pkcs11 --token-label "$TOKEN" --list-objects --type cert
show "$(grep -E 'label:|subject:|ID:' <<<"$said" | sed 's/^ *//')"

step 5 "A FIAM client assertion" \
"privyseal builds header and claims under the scheme's rules, has the token sign, and checks the
signature against the leaf before it lets the assertion out."
run "$bin/privyseal" sign --scheme fiam --chain token --client-id "$CLIENT_ID" --key "$(key_uri)"
printf '%s\n' "$said" >"$dir/assertion.jwt"
IFS=. read -r header payload signature more <<<"$said"
[ -n "$signature" ] && [ -z "$more" ] || fail "privyseal sign printed something that is not one compact JWS"
printf '   %s characters, in %s:\n     %s .. %s\n' "${#said}" "$(shown "$dir/assertion.jwt")" "${said:0:60}" "${said: -24}"
claims=$(base64url "$payload")
printf '   its header:\n'
show "$(base64url "$header" | readable)"
printf '   its claims:\n'
show "$(readable <<<"$claims")"
for name in iat nbf exp; do
    show "$name = $(utc "$(claim $name)") (iat + $(($(claim $name) - $(claim iat))) s)"
done

step 6 "OpenSSL verifies it" \
"With the public key of the certificate that is in the assertion. Then that certificate, up to
the root that a receiver trusts."
leaf=$dir/x5c-0.der
base64url "$header" | sed -E 's/.*"x5c":\["([^"]*)".*/\1/' | base64 -d >"$leaf"
printf '%s' "$header.$payload" >"$dir/signed"
base64url "$signature" >"$dir/signature"
printf '   %s: the first two parts as they stand; %s: the third, decoded;\n   %s: x5c'\''s first, decoded.\n' \
    "$(shown "$dir/signed")" "$(shown "$dir/signature")" "$(shown "$leaf")"
run openssl x509 -inform DER -noout -pubkey -in "$leaf" -out "$dir/leaf-key.pem"
run openssl dgst -sha256 -verify "$dir/leaf-key.pem" -signature "$dir/signature" "$dir/signed"
show "$said"
[ "$said" = "Verified OK" ] || fail "OpenSSL did not say \`Verified OK\`"
run openssl x509 -inform DER -in "$leaf" -out "$dir/leaf.pem"
run openssl verify -CAfile "$dir/pki/root.pem" -untrusted "$dir/pki/chain.pem" "$dir/leaf.pem"
show "$said"

step 7 "A test authorization server" \
"On loopback, with TLS and a JOSE library that is not ours. It trusts the test CA's root and
judges assertions as FIAM describes; jti works once, tokens live 360 s."
server=("$bin/fiam-server" --trust "$dir/pki/root.pem" --tls-dir "$dir/tls" --port 0 --max-seconds 120)
printf '   $ %s\n' "$(typed "${server[@]}")"
# It ends when its standard input does, however this script ends.
coproc SERVER { exec "${server[@]}"; }
base=
while [ -z "$base" ]; do
    read -r -t 20 line <&"${SERVER[0]}" || fail "fiam-server did not get to listen within 20 s"
    show "$line"
    [[ $line != "listening on "* ]] || base=${line#listening on }
done
token=("$bin/privyseal" token --scheme fiam --key "$(key_uri)" --client-id "$CLIENT_ID" --chain token
    --base-url "$base" --cacert "$dir/tls/tls-ca.pem")

step 8 "An access token" "A new assertion, POSTed to /oauth/token. The server's response:"
run "${token[@]}"
show "$(readable <<<"$said")"

step 9 "The call that the token is for" \
"Another assertion (each works once), another token, and a GET with it, in one command:"
run "${token[@]}" --call /service-consumers/contracts
show "$(readable <<<"$said")"
[[ $said == *total_count* ]] || fail "the response has no page of contracts"

privyseal=$(shown "$bin/privyseal")
cat <<END

What to do next

   The demonstration's token stays until the next run. Sign with it again:

     export SOFTHSM2_CONF=$SOFTHSM2_CONF
     $privyseal sign --scheme fiam --key $(quoted "$(key_uri)") --client-id $CLIENT_ID --chain token
     $privyseal keys --key $(quoted "$(token_uri)")

   With a token of your own, find its module (.so) in the vendor's manual and its keys with \`keys\`:

     $privyseal keys --key 'pkcs11:token=TOKEN?module-path=/PATH/TO/MODULE.so'

   Then put the PIN into a file only you can read, and the key's URI here:

     $privyseal sign --scheme fiam --client-id EU.EORI.YOURS --chain token \\
       --key 'pkcs11:token=TOKEN;object=KEY?module-path=/PATH/TO/MODULE.so&pin-source=file:/PATH/TO/PIN'

   No chain on the token? Give it as a file: --chain CHAIN.pem (any order).

done in $((SECONDS - started)) s
END
