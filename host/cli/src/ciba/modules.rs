//! The modules of a QR code in the image of one, to draw them again.

use rqrr::{BitGrid as _, PreparedImage};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_png::PngDecoder;

/// The largest image that is read, in pixels each way.
const MAX_PIXELS: usize = 4096;

/// The modules of one code, upright.
pub(super) struct Modules {
    side: usize,
    dark: Vec<bool>,
}

/// An image in grey, a byte for each pixel.
struct Pixels {
    width: usize,
    height: usize,
    luma: Vec<u8>,
}

impl Modules {
    /// Reads a JPEG or a PNG. None if there is no QR code in it that can be read.
    pub(super) fn read(image: &[u8]) -> Option<Self> {
        Pixels::jpeg(image)
            .or_else(|| Pixels::png(image))?
            .modules()
    }

    /// Modules each way: 21 to 177.
    pub(super) const fn side(&self) -> usize {
        self.side
    }

    /// Whether a module is dark; none outside is.
    pub(super) fn is_dark(&self, x: usize, y: usize) -> bool {
        x < self.side && self.dark.get(y * self.side + x).is_some_and(|dark| *dark)
    }
}

impl Pixels {
    fn jpeg(image: &[u8]) -> Option<Self> {
        let options = options().jpeg_set_out_colorspace(ColorSpace::Luma);
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(image), options);
        let luma = decoder.decode().ok()?;
        let info = decoder.info()?;
        Self::new(info.width.into(), info.height.into(), &luma, 1)
    }

    fn png(image: &[u8]) -> Option<Self> {
        let options = options().png_set_strip_to_8bit(true);
        let mut decoder = PngDecoder::new_with_options(ZCursor::new(image), options);
        let pixels = decoder.decode_raw().ok()?;
        let (width, height) = decoder.dimensions()?;
        let channels = decoder.colorspace()?.num_components();
        Self::new(width, height, &pixels, channels)
    }

    /// `bytes` has `channels` for each pixel. The first is luma or red, which is as good for black and
    /// white.
    fn new(width: usize, height: usize, bytes: &[u8], channels: usize) -> Option<Self> {
        let pixels = bytes.chunks_exact(channels.max(1));
        let luma: Vec<_> = pixels.filter_map(|pixel| pixel.first().copied()).collect();
        (luma.len() == width.checked_mul(height)?).then_some(Self {
            width,
            height,
            luma,
        })
    }

    fn modules(&self) -> Option<Modules> {
        let mut image = PreparedImage::prepare_from_greyscale(self.width, self.height, |x, y| {
            self.luma.get(y * self.width + x).copied().unwrap_or(255)
        });
        // What looks like a code but cannot be decoded does not count.
        let grids = image.detect_grids();
        let grid = grids.into_iter().find(|grid| grid.decode().is_ok())?.grid;
        let side = grid.size();
        let dark = (0..side * side).map(|module| grid.bit(module / side, module % side));
        Some(Modules {
            side,
            dark: dark.collect(),
        })
    }
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
            let modules = Modules::read(image).unwrap();
            assert_eq!(modules.side(), 33);
            for (y, row) in MODULES.lines().enumerate() {
                for (x, module) in row.bytes().enumerate() {
                    assert_eq!(modules.is_dark(x, y), module == b'1', "{x}, {y}");
                }
            }
            assert!(!modules.is_dark(33, 0) && !modules.is_dark(0, 33));
        }
    }

    /// A drawing of `rows`, `scale` pixels a module, with nothing around it.
    fn drawn(rows: &[&str], scale: usize) -> Pixels {
        let bytes: Vec<u8> = rows
            .iter()
            .flat_map(|row| std::iter::repeat_n(row, scale))
            .flat_map(|row| {
                row.bytes()
                    .flat_map(|module| std::iter::repeat_n(module, scale))
            })
            .map(|module| if module == b'1' { 0 } else { 255 })
            .collect();
        let (width, height) = (rows[0].len() * scale, rows.len() * scale);
        Pixels::new(width, height, &bytes, 1).unwrap()
    }

    #[test]
    fn any_scale_and_no_margin() {
        let rows: Vec<&str> = MODULES.lines().collect();
        for scale in [1, 2, 3, 7, 16] {
            let modules = drawn(&rows, scale).modules().unwrap();
            assert_eq!(modules.side(), 33, "{scale}");
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
        let modules = drawn(&rows, 4).modules().unwrap();
        let upright: Vec<bool> = MODULES
            .lines()
            .flat_map(str::bytes)
            .map(|module| module == b'1')
            .collect();
        assert!(modules.dark == upright);
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
            assert!(image.modules().is_none());
        }
        for bytes in [&b""[..], b"\xff\xd8", b"<svg/>", &JPEG[..200], &PNG[..90]] {
            assert!(Modules::read(bytes).is_none());
        }
    }
}
