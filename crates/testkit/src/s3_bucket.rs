//! What a bucket of S3 holds, and what the requests do to it.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use crate::digest::HashName;
use crate::request::Request;
use crate::response::Response;
use crate::signed_repository::in_seconds;

/// No part but the last may be smaller.
const SMALLEST_PART: usize = 5 << 20;

/// A file in the bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Quoted, as in the header.
    pub e_tag: String,
    /// `Content-Type`, `Cache-Control` and the like, as they were given when it was written.
    pub headers: Vec<(String, String)>,
    /// In seconds since 1970.
    pub modified: i64,
}

#[derive(Default)]
pub(crate) struct Bucket {
    pub(crate) objects: BTreeMap<String, Object>,
    uploads: BTreeMap<String, Upload>,
    /// How many uploads there were: the next one's name.
    started: usize,
}

/// A file that is sent in parts.
struct Upload {
    key: String,
    headers: Vec<(String, String)>,
    parts: BTreeMap<u32, Vec<u8>>,
}

impl Object {
    /// An object with this content, written now.
    pub(crate) fn new(bytes: &[u8], headers: Vec<(String, String)>) -> Self {
        let e_tag = format!("\"{}\"", HashName::Md5.hex(bytes));
        Self { bytes: bytes.to_vec(), e_tag, headers, modified: in_seconds(0).0 }
    }

    /// The first header with this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

impl Bucket {
    /// Uploads that are neither complete nor given up.
    pub(crate) fn unfinished_uploads(&self) -> usize {
        self.uploads.len()
    }

    /// GET and HEAD of a key, also as a website answers them.
    pub(crate) fn get(&self, request: &Request, key: &str) -> Response {
        let Some(object) = self.objects.get(key) else { return error(404, "NoSuchKey", key) };
        if request.header("if-none-match") == Some(&object.e_tag) {
            return Response::new(304).header("ETag", &object.e_tag);
        }
        let content_type = object.header("content-type").unwrap_or("binary/octet-stream");
        let mut response = Response::ranged(request, content_type, &object.bytes, Some(&object.e_tag))
            .header("Last-Modified", &http_date(object.modified));
        for (name, value) in object.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("content-type")) {
            response = response.header(name, value);
        }
        response
    }

    /// ListObjectsV2. At most `page` keys at once.
    pub(crate) fn list(&self, request: &Request, bucket: &str, page: usize) -> Response {
        if query(request, "list-type").as_deref() != Some("2")
            || query(request, "delimiter").is_some_and(|text| !text.is_empty())
        {
            return error(501, "NotImplemented", bucket);
        }
        let prefix = query(request, "prefix").unwrap_or_default();
        let after = query(request, "continuation-token").or_else(|| query(request, "start-after"));
        let page = query(request, "max-keys").and_then(|text| text.parse().ok()).unwrap_or(page).min(page);
        let is_next = |key: &str| key.starts_with(&prefix) && after.as_deref().is_none_or(|after| key > after);
        let mut found = self.objects.iter().filter(|(key, _)| is_next(key));
        let shown: Vec<_> = found.by_ref().take(page).collect();
        let is_truncated = found.next().is_some();
        let mut body = format!("<Name>{}</Name><Prefix>{}</Prefix>", escaped(bucket), escaped(&prefix));
        body += &format!("<KeyCount>{}</KeyCount><IsTruncated>{is_truncated}</IsTruncated>", shown.len());
        if let Some((last, _)) = shown.last().filter(|_| is_truncated) {
            body += &format!("<NextContinuationToken>{}</NextContinuationToken>", escaped(last));
        }
        for (key, object) in shown {
            let modified = tuf::UnixTime(object.modified);
            body += &format!("<Contents><Key>{}</Key><LastModified>{modified}</LastModified>", escaped(key));
            body += &format!("<ETag>{}</ETag><Size>{}</Size>", escaped(&object.e_tag), object.bytes.len());
            body += "<StorageClass>STANDARD</StorageClass></Contents>";
        }
        xml("ListBucketResult", &body)
    }

    /// PUT, POST and DELETE of a key.
    pub(crate) fn write(&mut self, request: &Request, key: &str) -> Response {
        let upload = query(request, "uploadId");
        match (request.method.as_str(), upload) {
            ("PUT", Some(upload)) => self.put_part(request, &upload, key),
            ("PUT", None) => self.put(request, key),
            ("POST", Some(upload)) => self.complete(request, &upload, key),
            ("POST", None) if query(request, "uploads").is_some() => self.start(request, key),
            ("DELETE", Some(upload)) => match self.uploads.remove(&upload) {
                Some(_) => Response::new(204),
                None => error(404, "NoSuchUpload", key),
            },
            ("DELETE", None) => {
                self.objects.remove(key);
                Response::new(204)
            }
            _ => error(501, "NotImplemented", key),
        }
    }

    fn put(&mut self, request: &Request, key: &str) -> Response {
        if let Some(refused) = self.condition(request, key) {
            return refused;
        }
        let object = Object::new(&request.body, kept_headers(request));
        let response = Response::new(200).header("ETag", &object.e_tag);
        self.objects.insert(key.to_owned(), object);
        response
    }

    fn start(&mut self, request: &Request, key: &str) -> Response {
        self.started += 1;
        let name = format!("upload-{}", self.started);
        let upload = Upload { key: key.to_owned(), headers: kept_headers(request), parts: BTreeMap::new() };
        self.uploads.insert(name.clone(), upload);
        xml("InitiateMultipartUploadResult", &format!("<Key>{}</Key><UploadId>{name}</UploadId>", escaped(key)))
    }

    fn put_part(&mut self, request: &Request, upload: &str, key: &str) -> Response {
        let number = query(request, "partNumber").and_then(|text| text.parse().ok());
        let number = number.filter(|number| (1..=10_000).contains(number));
        let upload = self.uploads.get_mut(upload).filter(|upload| upload.key == key);
        let (Some(upload), Some(number)) = (upload, number) else { return error(404, "NoSuchUpload", key) };
        upload.parts.insert(number, request.body.to_vec());
        Response::new(200).header("ETag", &part_tag(&request.body))
    }

    /// The listed parts, in order, become one object.
    fn complete(&mut self, request: &Request, name: &str, key: &str) -> Response {
        if let Some(refused) = self.condition(request, key) {
            return refused;
        }
        let Some(upload) = self.uploads.get(name).filter(|upload| upload.key == key) else {
            return error(404, "NoSuchUpload", key);
        };
        let wanted = listed_parts(&String::from_utf8_lossy(&request.body));
        let mut bytes = Vec::new();
        let mut hashes = Vec::new();
        for (index, (number, tag)) in wanted.iter().enumerate() {
            let Some(part) = upload.parts.get(number).filter(|part| part_tag(part) == *tag) else {
                return error(400, "InvalidPart", key);
            };
            if part.len() < SMALLEST_PART && index + 1 < wanted.len() {
                return error(400, "EntityTooSmall", key);
            }
            hashes.extend(hex::decode(HashName::Md5.hex(part)).unwrap());
            bytes.extend_from_slice(part);
        }
        if wanted.is_empty() || wanted.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
            return error(400, "InvalidPartOrder", key);
        }
        let e_tag = format!("\"{}-{}\"", HashName::Md5.hex(&hashes), wanted.len());
        let object = Object { e_tag: e_tag.clone(), ..Object::new(&bytes, upload.headers.clone()) };
        self.objects.insert(key.to_owned(), object);
        self.uploads.remove(name);
        xml("CompleteMultipartUploadResult", &format!("<Key>{}</Key><ETag>{}</ETag>", escaped(key), escaped(&e_tag)))
    }

    /// What is answered when the condition of a write does not hold.
    fn condition(&self, request: &Request, key: &str) -> Option<Response> {
        let present = self.objects.get(key);
        match (request.header("if-none-match"), request.header("if-match")) {
            (Some("*"), None) => present.map(|_| error(412, "PreconditionFailed", key)),
            (None, Some(e_tag)) => match present {
                None => Some(error(404, "NoSuchKey", key)),
                Some(present) => (present.e_tag != e_tag).then(|| error(412, "PreconditionFailed", key)),
            },
            (None, None) => None,
            // As in S3: nothing but `*`.
            _ => Some(error(501, "NotImplemented", key)),
        }
    }
}

/// A parameter of the request's query.
pub(crate) fn query(request: &Request, name: &str) -> Option<String> {
    let (_, query) = request.path.split_once('?')?;
    let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let (_, value) = pairs.find(|(known, _)| *known == name)?;
    Some(percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned())
}

/// An error in the form of S3.
pub(crate) fn error(status: u16, code: &str, key: &str) -> Response {
    let body = format!("<Code>{code}</Code><Message>{code} in a test</Message><Key>{}</Key>", escaped(key));
    Response { status, ..xml("Error", &body) }
}

fn xml(element: &str, body: &str) -> Response {
    let text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{element}>{body}</{element}>");
    Response::ok("application/xml", text)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The headers of a request that come back with the object.
fn kept_headers(request: &Request) -> Vec<(String, String)> {
    let kept =
        ["content-type", "cache-control", "content-encoding", "content-disposition", "content-language", "expires"];
    let is_kept =
        |name: &str| kept.contains(&name.to_lowercase().as_str()) || name.to_lowercase().starts_with("x-amz-meta-");
    request.headers.iter().filter(|(name, _)| is_kept(name)).cloned().collect()
}

fn part_tag(part: &[u8]) -> String {
    format!("\"{}\"", HashName::Md5.hex(part))
}

/// Number and ETag of each part in a CompleteMultipartUpload document.
fn listed_parts(document: &str) -> Vec<(u32, String)> {
    let field = |part: &str, name: &str| {
        let (_, rest) = part.split_once(&format!("<{name}>"))?;
        Some(rest.split_once("</")?.0.replace("&quot;", "\""))
    };
    let parts = document.split("<Part>").skip(1);
    parts.filter_map(|part| Some((field(part, "PartNumber")?.parse().ok()?, field(part, "ETag")?))).collect()
}

/// RFC 9110, 5.6.7.
fn http_date(seconds: i64) -> String {
    let text = tuf::UnixTime(seconds).to_string();
    let day = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][seconds.div_euclid(86_400).rem_euclid(7) as usize];
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = months[text[5..7].parse::<usize>().unwrap() - 1];
    format!("{day}, {} {month} {} {} GMT", &text[8..10], &text[..4], &text[11..19])
}
