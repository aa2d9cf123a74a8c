//! The modules of a QR code in the image of one.
//!
//! Not a scanner: it reads images that a program has drawn, upright and on a light ground, to draw them
//! again. An image that is anything else has no modules.

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_png::PngDecoder;

/// The largest image that is read, in pixels each way.
const MAX_PIXELS: usize = 4096;

/// The modules of one code.
pub(super) struct Modules {
    side: usize,
    dark: Vec<bool>,
}

/// Which pixels of an image are dark.
struct Pixels {
    width: usize,
    height: usize,
    dark: Vec<bool>,
}

/// The part of an image that is not ground, in pixels; the ends are not in it.
struct Frame {
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
}

impl Modules {
    /// Reads a JPEG or a PNG.
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

    /// Whether the three corners are as in every code (ISO/IEC 18004 section 6.3.3).
    fn has_finders(&self) -> bool {
        let far = self.side - 7;
        [(0, 0), (far, 0), (0, far)].into_iter().all(|(left, top)| {
            (0..7_usize).all(|y| {
                (0..7_usize).all(|x| {
                    let ring = x.abs_diff(3).max(y.abs_diff(3));
                    self.is_dark(left + x, top + y) == (ring != 2)
                })
            })
        })
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
        Self::new(
            width,
            height,
            &pixels,
            decoder.colorspace()?.num_components(),
        )
    }

    /// `bytes` has `channels` for each pixel. The first is luma or red, which is as good for black and
    /// white.
    fn new(width: usize, height: usize, bytes: &[u8], channels: usize) -> Option<Self> {
        let dark: Vec<_> = bytes
            .chunks_exact(channels.max(1))
            .map(|pixel| pixel.first().is_some_and(|luma| *luma < 128))
            .collect();
        (dark.len() == width.checked_mul(height)?).then_some(Self {
            width,
            height,
            dark,
        })
    }

    fn is_dark(&self, x: usize, y: usize) -> bool {
        x < self.width && self.dark.get(y * self.width + x).is_some_and(|dark| *dark)
    }

    /// The top edge of the top left finder is seven modules wide, and then comes a light one.
    fn modules(&self) -> Option<Modules> {
        let frame = self.frame()?;
        let (width, height) = (frame.right - frame.left, frame.bottom - frame.top);
        let row = frame.top + height / 400;
        let finder = (frame.left..frame.right)
            .take_while(|x| self.is_dark(*x, row))
            .count();
        // Sides are 21, 25, 29, and so on to 177.
        let near = (7 * width).checked_div(finder)?;
        let version = near.checked_sub(15)? / 4;
        let side = 17 + 4 * version;
        if !(1..=40).contains(&version) || width.abs_diff(height) > width / side {
            return None;
        }
        // The middle of each module.
        let at =
            |place: usize, start: usize, len: usize| start + (2 * place + 1) * len / (2 * side);
        let dark = (0..side * side).map(|module| {
            let (x, y) = (module % side, module / side);
            self.is_dark(at(x, frame.left, width), at(y, frame.top, height))
        });
        let modules = Modules {
            side,
            dark: dark.collect(),
        };
        modules.has_finders().then_some(modules)
    }

    fn frame(&self) -> Option<Frame> {
        let column = |x: &usize| (0..self.height).any(|y| self.is_dark(*x, y));
        let row = |y: &usize| (0..self.width).any(|x| self.is_dark(x, *y));
        Some(Frame {
            left: (0..self.width).find(column)?,
            right: (0..self.width).rev().find(column)? + 1,
            top: (0..self.height).find(row)?,
            bottom: (0..self.height).rev().find(row)? + 1,
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
    fn what_is_no_code_has_no_modules() {
        let rows: Vec<&str> = MODULES.lines().collect();
        let upside_down: Vec<&str> = rows.iter().rev().copied().collect();
        for image in [
            drawn(&["0"], 40),
            drawn(&["1"], 40),
            drawn(&["1111111011", "0000000000", "1111111111"], 4),
            drawn(&rows[..20], 4),
            drawn(&upside_down, 4),
        ] {
            assert!(image.modules().is_none());
        }
        for bytes in [&b""[..], b"\xff\xd8", b"<svg/>", &JPEG[..200], &PNG[..90]] {
            assert!(Modules::read(bytes).is_none());
        }
    }
}
