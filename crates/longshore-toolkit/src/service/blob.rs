//! Blobs behind signed addresses, as far as the packages use those of Azure: Put Blob, Put Block, Put Block List, Get
//! Blob with ranges, and Get Blob Properties.

use std::io::Read;

use super::artifact;
use super::http::Request;
use super::response::Response;
use super::state::{BLOBS, Download, Shared};
use super::upload::{Upload, UploadError};
use crate::StorageError;
use crate::artifact::Blob;

/// How long a list of blocks may be, and the id of a block.
const MOST_LIST: u64 = 8 << 20;
const LONGEST_ID: usize = 128;

/// Answers a request for a blob.
pub(super) fn answer(shared: &Shared, request: &Request, body: &mut impl Read) -> Response {
    let right = if request.method == "PUT" { "w" } else { "r" };
    let shown = (request.parameter("se"), request.parameter("sig"));
    let allowed = shared.signer.allows(&request.path, right, shown, shared.now());
    let id = request.path.strip_prefix(BLOBS).unwrap_or_default();
    let response = match request.method.as_str() {
        _ if !allowed => Response::blob_error(403, "AuthenticationFailed"),
        "PUT" => shared
            .upload(id)
            .map_or_else(|| Response::blob_error(404, "BlobNotFound"), |upload| put(&upload, request, body)),
        "GET" | "HEAD" => get(shared, request, id),
        _ => Response::blob_error(405, "UnsupportedHttpVerb"),
    };
    let version = request.header("x-ms-version").unwrap_or("2021-12-02").to_owned();
    let response = response
        .with("x-ms-version", version)
        .with("x-ms-request-id", "00000000-0000-0000-0000-000000000000")
        .with("Date", date(shared));
    match request.header("x-ms-client-request-id") {
        Some(id) => response.with("x-ms-client-request-id", id),
        None => response,
    }
}

fn put(upload: &Upload, request: &Request, body: &mut impl Read) -> Response {
    let done = match request.parameter("comp") {
        None => {
            if request.header("x-ms-blob-type").is_some_and(|kind| kind != "BlockBlob") {
                return Response::blob_error(400, "UnsupportedHeader");
            }
            upload.put(body)
        }
        Some("block") => match request.parameter("blockid") {
            Some(id) if (1..=LONGEST_ID).contains(&id.len()) => upload.put_block(id, body),
            _ => return Response::blob_error(400, "InvalidQueryParameterValue"),
        },
        Some("blocklist") => match block_list(body) {
            Some(ids) => upload.put_list(&ids),
            None => return Response::blob_error(400, "InvalidXmlDocument"),
        },
        Some(_) => return Response::blob_error(400, "InvalidQueryParameterValue"),
    };
    match done {
        Ok(()) => Response::empty(201).with("ETag", "\"0x1\"").with("x-ms-request-server-encrypted", "false"),
        Err(error) => refused(&error),
    }
}

fn refused(error: &UploadError) -> Response {
    match error {
        UploadError::Aborted => Response::fatal(400, "the body ended too early"),
        UploadError::UnknownBlock => Response::blob_error(400, "InvalidBlockList"),
        UploadError::TooManyBlocks => Response::blob_error(409, "BlockCountExceedsLimit"),
        UploadError::Over => Response::blob_error(404, "BlobNotFound"),
        UploadError::Storage(StorageError::Limit { .. }) => Response::blob_error(413, "RequestBodyTooLarge"),
        UploadError::Storage(error) if error.is_out_of_space() => {
            Response::blob_error(507, "InsufficientStorage")
        }
        UploadError::Storage(_) => Response::blob_error(500, "InternalError"),
    }
}

/// The ids of a list of blocks: the texts of `Latest`, `Uncommitted` and `Committed`, in the order of the document.
fn block_list(body: &mut impl Read) -> Option<Vec<String>> {
    let mut text = String::new();
    body.take(MOST_LIST).read_to_string(&mut text).ok()?;
    let inner = text.split_once("<BlockList>")?.1.split_once("</BlockList>")?.0;
    let mut ids = Vec::new();
    let mut rest = inner.trim();
    while !rest.is_empty() {
        let (name, tail) = rest.strip_prefix('<')?.split_once('>')?;
        if !matches!(name, "Latest" | "Uncommitted" | "Committed") {
            return None;
        }
        let (id, tail) = tail.split_once("</")?;
        // Ids are Base64, which has nothing that XML would escape.
        if id.contains(['&', '<']) {
            return None;
        }
        rest = tail.strip_prefix(name)?.strip_prefix('>')?.trim_start();
        ids.push(id.trim().to_owned());
    }
    Some(ids)
}

fn get(shared: &Shared, request: &Request, id: &str) -> Response {
    let found = match shared.download(id) {
        Some(download) => open(shared, &download),
        None => Ok(None),
    };
    let blob = match found {
        Ok(Some(blob)) => blob,
        Ok(None) => return Response::blob_error(404, "BlobNotFound"),
        Err(_) => return Response::blob_error(500, "InternalError"),
    };
    let range = request.header("x-ms-range").or_else(|| request.header("range"));
    let (status, start, length) = match Wanted::parse(range.unwrap_or_default(), blob.size) {
        Wanted::All => (200, 0, blob.size),
        Wanted::Stretch { start, length } => (206, start, length),
        Wanted::Nothing => {
            let range = format!("bytes */{}", blob.size);
            return Response::blob_error(416, "InvalidRange").with("Content-Range", range);
        }
    };
    let disposition = disposition(&blob.file_name);
    let response = Response::file(status, blob.file, start, length)
        .with("Content-Type", blob.media_type)
        .with("Content-Disposition", disposition)
        .with("Accept-Ranges", "bytes")
        .with("ETag", format!("\"0x{id}\""))
        .with("Last-Modified", date(shared))
        .with("x-ms-blob-type", "BlockBlob");
    match status {
        206 => response.with("Content-Range", format!("bytes {start}-{}/{}", start + length - 1, blob.size)),
        _ => response,
    }
}

fn open(shared: &Shared, download: &Download) -> Result<Option<Blob>, StorageError> {
    match download {
        Download::Artifact(name) => artifact::find(shared, name)?.map(|found| found.blob()).transpose(),
        Download::Cache(entry) => {
            let Some(file) = entry.archive()? else { return Ok(None) };
            let size = entry.entry().size;
            let media_type = "application/octet-stream".to_owned();
            Ok(Some(Blob { file, size, media_type, file_name: "cache".to_owned() }))
        }
    }
}

/// What a range asks for.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    /// Everything: there is no range that is understood.
    All,
    Stretch {
        start: u64,
        length: u64,
    },
    /// What is not there.
    Nothing,
}

impl Wanted {
    fn parse(range: &str, size: u64) -> Self {
        let parts = range.strip_prefix("bytes=").and_then(|range| range.split_once('-'));
        let Some((first, last)) = parts else { return Self::All };
        let number =
            |text: &str| text.parse::<u64>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        let (start, end) = match (number(first), number(last)) {
            (None, Some(length)) if first.is_empty() => (size.saturating_sub(length), size),
            (Some(first), None) if last.is_empty() => (first, size),
            (Some(first), Some(last)) if first <= last => (first, last.saturating_add(1).min(size)),
            _ => return Self::All,
        };
        match end.checked_sub(start) {
            None | Some(0) => Self::Nothing,
            Some(length) => Self::Stretch { start, length },
        }
    }
}

/// What the file is called, for readers that know only ASCII and for others.
fn disposition(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|letter| if letter.is_ascii_graphic() || letter == ' ' { letter } else { '_' })
        .collect();
    let encoded: String = name
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect();
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

fn date(shared: &Shared) -> String {
    shared.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let stretch = |start, length| Wanted::Stretch { start, length };
        for (range, expected) in [
            ("bytes=0-3", stretch(0, 4)),
            ("bytes=2-", stretch(2, 8)),
            ("bytes=-3", stretch(7, 3)),
            ("bytes=-30", stretch(0, 10)),
            ("bytes=5-500", stretch(5, 5)),
            ("bytes=0-18446744073709551615", stretch(0, 10)),
            ("bytes=10-", Wanted::Nothing),
            ("bytes=11-20", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=3-2", Wanted::All),
            ("bytes=a-b", Wanted::All),
            ("bytes=-", Wanted::All),
            ("bytes=+1-2", Wanted::All),
            ("lines=0-1", Wanted::All),
            ("", Wanted::All),
        ] {
            assert_eq!(Wanted::parse(range, 10), expected, "{range}");
        }
        assert_eq!(Wanted::parse("bytes=0-0", 0), Wanted::Nothing);
    }

    #[test]
    fn lists_of_blocks() {
        let list = |text: &str| block_list(&mut text.as_bytes());
        let head = "<?xml version=\"1.0\"?>\n<BlockList>";
        assert_eq!(
            list(&format!("{head}<Latest>YQ==</Latest>\n <Uncommitted>Yg==</Uncommitted></BlockList>")),
            Some(vec!["YQ==".to_owned(), "Yg==".to_owned()])
        );
        assert_eq!(list(&format!("{head}</BlockList>")), Some(Vec::new()));
        for broken in
            ["<Latest>YQ==", "<Latest>YQ==</Other>", "<Evil>a</Evil>", "text", "<Latest>&a;</Latest>"]
        {
            assert_eq!(list(&format!("{head}{broken}</BlockList>")), None, "{broken}");
        }
    }
}
