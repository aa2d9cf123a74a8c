//! What to do next: with this token, and with one's own.

use crate::paths;
use crate::process::quoted;
use crate::token_dir::TokenDir;

/// Prints commands that can be pasted as they are, or with the capitals replaced.
pub(super) fn print(token: &TokenDir) {
    let privyseal = paths::shown(&paths::target().join("debug/privyseal"));
    let key = quoted(&token.key_uri());
    let whole_token = quoted(&token.token_uri());
    println!(
        "\nWhat to do next\n\n   \
         The demonstration's token stays until the next run. Sign with it again:\n\n     \
         {export}\n     \
         {privyseal} sign --scheme fiam --key {key} --client-id {client} --chain token\n     \
         {privyseal} keys --key {whole_token}\n\n   \
         With a token of your own, find its module (.so) in the vendor's manual and its keys with \
         `keys`:\n\n     \
         {privyseal} keys --key 'pkcs11:token=TOKEN?module-path=/PATH/TO/MODULE.so'\n\n   \
         Then put the PIN into a file only you can read, and the key's URI here:\n\n     \
         {privyseal} sign --scheme fiam --client-id EU.EORI.YOURS --chain token \\\n       \
         --key 'pkcs11:token=TOKEN;object=KEY?module-path=/PATH/TO/MODULE.so&pin-source=file:/PATH/TO/PIN'\n\n   \
         No chain on the token? Give it as a file: --chain CHAIN.pem (any order).",
        client = super::CLIENT_ID,
        export = token.export(),
    );
}
