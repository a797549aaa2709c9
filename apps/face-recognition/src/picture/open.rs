//! Opening picture files that may be anything.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use image::imageops::FilterType;
use image::{ImageError, ImageFormat, ImageReader, Limits, RgbImage};

/// A photograph of a good camera has 10 to 30 MB.
const MOST_BYTES: u64 = 64 << 20;

/// 8 bytes a pixel at most: what a decoder may ask for is bounded before it asks.
const MOST_PIXELS: u64 = 64_000_000;

/// Faces need no more: a larger photograph is scaled down, which bounds the time and the bytes a call takes. The
/// detector's sums also stay well within its integers.
const LONGEST_SIDE: u32 = 2_000;

/// Why a picture cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum PictureError {
    #[error("{}: cannot be read ({source}): check that the file is there and that you may read it", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{}: the file is empty: give a PNG or JPEG photograph", path.display())]
    Empty { path: PathBuf },
    #[error("{}: not a PNG or JPEG picture: convert it to one of these", path.display())]
    NotAPicture { path: PathBuf },
    #[error("{}: larger than {} MiB: scale the photograph down", path.display(), MOST_BYTES >> 20)]
    TooManyBytes { path: PathBuf },
    #[error("{}: {width} × {height} pixels, more than {} million: scale the photograph down", path.display(), MOST_PIXELS / 1_000_000)]
    TooManyPixels { path: PathBuf, width: u32, height: u32 },
    #[error("{}: the picture is damaged ({source}): give another copy of it", path.display())]
    Damaged { path: PathBuf, source: ImageError },
    #[error("{}: cannot be written ({source}): check the folder, and end the name in .png", path.display())]
    Unwritable { path: PathBuf, source: ImageError },
}

/// Opens a PNG or JPEG picture, scaled down to [`LONGEST_SIDE`] if it is larger.
pub(crate) fn open(path: &Path) -> Result<RgbImage, PictureError> {
    let unreadable = |source| PictureError::Unreadable { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    decode(path, &bytes)
}

/// The same for a picture in memory; the path is for the errors.
pub(crate) fn decode(path: &Path, bytes: &[u8]) -> Result<RgbImage, PictureError> {
    let path = || path.to_owned();
    if bytes.is_empty() {
        return Err(PictureError::Empty { path: path() });
    }
    if bytes.len() as u64 > MOST_BYTES {
        return Err(PictureError::TooManyBytes { path: path() });
    }
    let format = match image::guess_format(bytes) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg)) => format,
        Ok(_) | Err(_) => return Err(PictureError::NotAPicture { path: path() }),
    };
    let damaged = |source| PictureError::Damaged { path: path(), source };

    // The header alone says how large the picture is; nothing has been allocated for it yet.
    let header = ImageReader::with_format(Cursor::new(bytes), format);
    let (width, height) = header.into_dimensions().map_err(damaged)?;
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(PictureError::TooManyPixels { path: path(), width, height });
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(8 * MOST_PIXELS + MOST_BYTES);
    reader.limits(limits);
    Ok(fitted(reader.decode().map_err(damaged)?.to_rgb8()))
}

/// Writes a picture as PNG, whatever the name's ending.
pub(crate) fn save(picture: &RgbImage, path: &Path) -> Result<(), PictureError> {
    let unwritable = |source| PictureError::Unwritable { path: path.to_owned(), source };
    picture.save_with_format(path, ImageFormat::Png).map_err(unwritable)
}

fn fitted(picture: RgbImage) -> RgbImage {
    let longest = picture.width().max(picture.height());
    if longest <= LONGEST_SIDE {
        return picture;
    }
    let side = |side: u32| (u64::from(side) * u64::from(LONGEST_SIDE) / u64::from(longest)).max(1) as u32;
    image::imageops::resize(&picture, side(picture.width()), side(picture.height()), FilterType::Triangle)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        RgbImage::new(width, height).write_to(&mut bytes, ImageFormat::Png).expect("memory takes it");
        bytes.into_inner()
    }

    fn error(bytes: &[u8]) -> String {
        decode(Path::new("party.jpg"), bytes).expect_err("this is no usable picture").to_string()
    }

    #[test]
    fn a_picture_opens() {
        let picture = decode(Path::new("party.png"), &png(30, 20)).expect("a picture");
        assert_eq!(picture.dimensions(), (30, 20));
    }

    #[test]
    fn a_large_picture_is_scaled_down() {
        let picture = decode(Path::new("party.png"), &png(3_000, 1_500)).expect("a picture");
        assert_eq!(picture.dimensions(), (2_000, 1_000));
    }

    #[test]
    fn what_is_no_picture_says_so() {
        assert_eq!(error(b""), "party.jpg: the file is empty: give a PNG or JPEG photograph");
        assert_eq!(error(b"Dear diary"), "party.jpg: not a PNG or JPEG picture: convert it to one of these");
        assert!(error(b"GIF89a and so on").contains("not a PNG or JPEG"));
    }

    #[test]
    fn a_damaged_picture_says_so() {
        let whole = png(300, 200);
        assert!(error(&whole[..whole.len() / 2]).contains("damaged"));
        assert!(error(&[0xff, 0xd8, 0xff, 0xe0]).contains("damaged"));
    }

    #[test]
    fn a_huge_picture_is_refused_before_it_is_decoded() {
        // A header that promises 60,000 × 60,000 pixels, with the checksum it needs.
        let mut bytes = png(1, 1);
        bytes[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
        bytes[20..24].copy_from_slice(&60_000_u32.to_be_bytes());
        let sum = crc(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&sum.to_be_bytes());
        assert_eq!(
            error(&bytes),
            "party.jpg: 60000 × 60000 pixels, more than 64 million: scale the photograph down"
        );
    }

    #[test]
    fn a_file_that_is_not_there_says_so() {
        let error = open(Path::new("no/such/photo.jpg")).expect_err("there is none").to_string();
        assert!(error.starts_with("no/such/photo.jpg: cannot be read"), "{error}");
    }

    #[test]
    fn a_folder_is_no_photograph() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = open(folder.path()).expect_err("a folder is no file").to_string();
        assert!(error.contains("cannot be read"), "{error}");
    }

    #[test]
    fn what_is_saved_can_be_opened() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out");
        save(&RgbImage::new(5, 4), &path).expect("the folder is ours");
        assert_eq!(open(&path).expect("just written").dimensions(), (5, 4));
        fs::remove_file(&path).expect("it is there");
        let error = save(&RgbImage::new(5, 4), &path.join("deeper")).expect_err("no such folder");
        assert!(error.to_string().contains("cannot be written"));
    }

    /// PNG's checksum (ISO 3309), bit by bit.
    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |sum, byte| {
            let shifted = |sum: u32, _| if sum & 1 == 1 { 0xedb8_8320 ^ (sum >> 1) } else { sum >> 1 };
            (0..8).fold(sum ^ u32::from(*byte), shifted)
        })
    }
}
