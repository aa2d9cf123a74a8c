//! The label of a device: what stands behind the `?` of its URI, in words and as a QR code.

use core::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::Args;
use privyseal_gateway::DeviceInfo;
use qrcode::{Color, EcLevel, QrCode};

use crate::error::CliError;
use crate::output::output_file;

/// Modules that stay white around a code (ISO/IEC 18004).
const QUIET: usize = 4;

/// Where it goes.
#[derive(Args)]
pub(super) struct Label {
    /// Also write a label for the device into this new file, as SVG: its id and key, in words and as a QR code
    #[arg(long, value_name = "FILE", value_parser = output_file())]
    label: Option<PathBuf>,
}

impl Label {
    /// Makes the file, before anything is done that cannot be undone. One that is there is left alone.
    pub(super) fn prepare(self) -> Result<Prepared, CliError> {
        let file = self.label.map(|path| match File::create_new(&path) {
            Ok(file) => Ok((path, file)),
            Err(error) => Err(CliError::of_output(&path)(error)),
        });
        Ok(Prepared(file.transpose()?))
    }
}

/// The file, empty until it is written, and gone if it never is.
pub(super) struct Prepared(Option<(PathBuf, File)>);

impl Prepared {
    /// Writes it.
    pub(super) fn write(mut self, info: &DeviceInfo) -> Result<(), CliError> {
        let Some((path, mut file)) = self.0.take() else {
            return Ok(());
        };
        let key = info.to_json()["key_sha256"].clone();
        let svg = svg(&info.device_id(), key.as_str().unwrap_or_default());
        let written = svg.and_then(|svg| file.write_all(svg.as_bytes()));
        written.map_err(CliError::of_output(&path))
    }

    /// Whether there is one to write.
    pub(super) const fn is_wanted(&self) -> bool {
        self.0.is_some()
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        if let Some((path, _)) = &self.0 {
            let _ = std::fs::remove_file(path);
        }
    }
}

fn svg(device: &str, key: &str) -> io::Result<String> {
    let text = format!("device={device}&key-sha256={key}");
    let code = QrCode::with_error_correction_level(&text, EcLevel::M);
    let code = code.map_err(io::Error::other)?;
    let width = code.width();
    let (mut dark, mut words) = (String::new(), String::new());
    for (at, color) in code.into_colors().into_iter().enumerate() {
        if color == Color::Dark {
            let (x, y) = (at % width + QUIET, at / width + QUIET);
            let _ = write!(dark, "M{x} {y}h1v1h-1z");
        }
    }
    let (wide, below) = (width + 2 * QUIET, width + 2 * QUIET);
    let (first, second) = key.split_at(key.len() / 2);
    for (word, y) in [device, first, second]
        .into_iter()
        .zip((below..).step_by(2))
    {
        let _ = write!(words, "<text x=\"{QUIET}\" y=\"{y}\">{word}</text>");
    }
    let tall = below + 2 * QUIET;
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {wide} {tall}\" \
         font-family=\"monospace\" font-size=\"2\"><title>{text}</title>\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/><path d=\"{dark}\"/>{words}</svg>\n",
        text = text.replace('&', "&amp;"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Drawn by what the file says, three pixels a module, and read by another library.
    #[test]
    fn the_code_of_a_label_is_what_a_uri_ends_with() {
        let (device, key) = ("0a".repeat(12), "5c".repeat(32));
        let svg = svg(&device, &key).unwrap();
        let (_, path) = svg.split_once("d=\"").unwrap();
        let (path, _) = path.split_once('"').unwrap();
        let dark: Vec<_> = path
            .split_terminator("h1v1h-1z")
            .map(|module| {
                let (x, y) = module[1..].split_once(' ').unwrap();
                (x.parse::<usize>().unwrap(), y.parse::<usize>().unwrap())
            })
            .collect();
        let size = 3 * (dark.iter().map(|(x, _)| x).max().unwrap() + QUIET);
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(size, size, |x, y| {
            if dark.contains(&(x / 3, y / 3)) {
                0
            } else {
                255
            }
        });
        let [grid] = &image.detect_grids()[..] else {
            panic!("one code")
        };
        let (_, text) = grid.decode().unwrap();
        assert_eq!(text, format!("device={device}&key-sha256={key}"));
        assert!(svg.contains(&format!(">{device}<")));
    }
}
