//! Makes one HTML file of the page: `privyseal-web-bundle MODULE.wasm OUT.html`.
//!
//! One file, because a browser loads no second one from a disk. Its Content-Security-Policy names script and style by
//! their hashes and allows nothing else, no request above all.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [module, out] = &arguments[..] else {
        return Err("usage: privyseal-web-bundle MODULE.wasm OUT.html".into());
    };
    fs::write(out, page(Path::new(module))?)?;
    Ok(())
}

fn page(module: &Path) -> Result<String, Box<dyn Error>> {
    let host = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |name: &str| {
        let path = host.join(name);
        fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let mut bound = Bindgen::new()
        .input_path(module)
        .no_modules(true)?
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate_output()?;
    let wasm = Base64::encode_string(&bound.wasm_mut().emit_wasm());
    let script = format!(
        "{}\nconst WASM = \"{wasm}\";\nconst EXAMPLES = {};\n{}",
        bound.js(),
        read("web/page/examples.json")?.trim_end(),
        read("web/page/page.js")?
    );
    if script.contains("</script") {
        return Err("the script has </script in it, which would end it in HTML".into());
    }
    let style = read("src/report/html/report.css")? + &read("web/page/page.css")?;
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}' 'wasm-unsafe-eval'; style-src 'sha256-{}'; \
         base-uri 'none'; form-action 'none'",
        hash(&script),
        hash(&style)
    );
    let page = read("web/page/page.html")?.replacen("{policy}", &policy, 1);
    let page = page.replacen("{style}", &style, 1);
    Ok(page.replacen("{script}", &script, 1))
}

fn hash(text: &str) -> String {
    Base64::encode_string(&Sha256::digest(text))
}
