#!/usr/bin/env bash
# Makes a token with a key and its chain in a folder: DIR, our commands' folder, SoftHSM's module.
set -euo pipefail
dir=$1 bin=$2 module=$3 quiet=yes
. "$(dirname "$0")/token.sh"
make_token
