//! The same on a tokio runtime: an access token of KPN FIAM, and the first page of the contracts.
//!
//! ```console
//! $ cargo run --features async --example async -- KEY_URI CLIENT_ID [BASE_URL [CA_FILE]]
//! ```

#![allow(clippy::print_stdout, reason = "an example shows what it got")]

use std::env;

use privyseal::client::AsyncClient;
use privyseal::{Client, Error, Http, HttpOptions, Roots, Server, oauth};
use privyseal_core::scheme::FIAM;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let mut arguments = env::args().skip(1);
    let key = arguments.next().unwrap_or_default().parse()?;
    let client_id = arguments.next().unwrap_or_default();
    let base = arguments.next();
    let base = base
        .as_deref()
        .unwrap_or("https://api-prd.kpn.com/fiam/api/v1");
    let roots = arguments.next().map(|file| Roots::from_file(file.as_ref()));
    let http = HttpOptions::default().roots(roots.transpose()?.unwrap_or_default());

    // Once, at the start of the application; clones serve all tasks.
    let builder = Client::builder(&FIAM)
        .key(key)
        .client_id(client_id)
        .http(Http::new(&http));
    let client = AsyncClient::open(builder).await?;
    let server = Server::new(base.parse()?);

    // At once where it was asked for before.
    let token = client.token(&server).await?;
    let list = client.run(move |client| {
        oauth::call(
            client.http(),
            server.base(),
            "/service-consumers/contracts",
            &token,
        )
    });
    println!("{}", String::from_utf8_lossy(&list.await?));
    Ok(())
}
