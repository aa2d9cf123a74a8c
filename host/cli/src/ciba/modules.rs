//! The modules of a QR code in the image of one, to draw them again.

use rqrr::{BitGrid as _, PreparedImage, SimpleGrid};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_png::PngDecoder;

/// The largest image that is read, in pixels each way.
const MAX_PIXELS: usize = 4096;

/// The modules of the code in a JPEG or a PNG, upright. None if there is no QR code in it that can be read.
pub(super) fn read(image: &[u8]) -> Option<SimpleGrid> {
    let (size, luma) = jpeg(image).or_else(|| png(image))?;
    modules(size, &luma)
}

/// Its width and height, and a byte for each pixel.
fn jpeg(image: &[u8]) -> Option<([usize; 2], Vec<u8>)> {
    let options = options().jpeg_set_out_colorspace(ColorSpace::Luma);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(image), options);
    let luma = decoder.decode().ok()?;
    let info = decoder.info()?;
    Some(([info.width.into(), info.height.into()], luma))
}

fn png(image: &[u8]) -> Option<([usize; 2], Vec<u8>)> {
    let options = options().png_set_strip_to_8bit(true);
    let mut decoder = PngDecoder::new_with_options(ZCursor::new(image), options);
    let pixels = decoder.decode_raw().ok()?;
    let size = decoder.dimensions()?.into();
    // The first is luma or red, which is as good for black and white.
    let channels = decoder.colorspace()?.num_components().max(1);
    Some((size, pixels.into_iter().step_by(channels).collect()))
}

fn modules([width, height]: [usize; 2], luma: &[u8]) -> Option<SimpleGrid> {
    if luma.len() != width.checked_mul(height)? {
        return None;
    }
    let mut image = PreparedImage::prepare_from_greyscale(width, height, |x, y| {
        luma.get(y * width + x).copied().unwrap_or(255)
    });
    // What looks like a code but cannot be decoded does not count.
    let grids = image.detect_grids();
    let grid = grids.into_iter().find(|grid| grid.decode().is_ok())?.grid;
    let upright = SimpleGrid::from_func(grid.size(), |x, y| grid.bit(y, x));
    Some(upright)
}

/// No larger than a screen, and by safe code only.
fn options() -> DecoderOptions {
    DecoderOptions::new_safe()
        .set_max_width(MAX_PIXELS)
        .set_max_height(MAX_PIXELS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const JPEG: &[u8] = include_bytes!("data/qr.jpg");
    const PNG: &[u8] = include_bytes!("data/qr.png");
    /// What the images were drawn from (npm packages qrcode, jpeg-js and pngjs).
    const MODULES: &str = include_str!("data/qr.txt");

    #[test]
    fn the_modules_of_both_kinds_of_image() {
        for image in [JPEG, PNG] {
            let modules = read(image).unwrap();
            assert_eq!(modules.size(), 33);
            for (y, row) in MODULES.lines().enumerate() {
                for (x, module) in row.bytes().enumerate() {
                    assert_eq!(modules.bit(y, x), module == b'1', "{x}, {y}");
                }
            }
        }
    }

    /// A drawing of `rows`, `scale` pixels a module, with nothing around it.
    fn drawn(rows: &[&str], scale: usize) -> Option<SimpleGrid> {
        let bytes: Vec<u8> = rows
            .iter()
            .flat_map(|row| std::iter::repeat_n(row, scale))
            .flat_map(|row| {
                row.bytes()
                    .flat_map(|module| std::iter::repeat_n(module, scale))
            })
            .map(|module| if module == b'1' { 0 } else { 255 })
            .collect();
        modules([rows[0].len() * scale, rows.len() * scale], &bytes)
    }

    #[test]
    fn any_scale_and_no_margin() {
        let rows: Vec<&str> = MODULES.lines().collect();
        for scale in [1, 2, 3, 7, 16] {
            let modules = drawn(&rows, scale).unwrap();
            assert_eq!(modules.size(), 33, "{scale}");
        }
    }

    #[test]
    fn a_turned_image_is_read_upright() {
        let rows: Vec<Vec<char>> = MODULES
            .lines()
            .rev()
            .map(|row| row.chars().rev().collect())
            .collect();
        let rows: Vec<String> = rows.iter().map(|row| row.iter().collect()).collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let modules = drawn(&rows, 4).unwrap();
        for (y, row) in MODULES.lines().enumerate() {
            for (x, module) in row.bytes().enumerate() {
                assert_eq!(modules.bit(y, x), module == b'1', "{x}, {y}");
            }
        }
    }

    #[test]
    fn what_is_no_code_has_no_modules() {
        let rows: Vec<&str> = MODULES.lines().collect();
        for image in [
            drawn(&["0"], 40),
            drawn(&["1"], 40),
            drawn(&["1111111011", "0000000000", "1111111111"], 4),
            drawn(&rows[..20], 4),
        ] {
            assert!(image.is_none());
        }
        for bytes in [&b""[..], b"\xff\xd8", b"<svg/>", &JPEG[..200], &PNG[..90]] {
            assert!(read(bytes).is_none());
        }
    }
}
