//! The signature of a request to S3, checked as the store does: AWS Signature Version 4, in the `Authorization` header.

use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::Sha256;

use crate::digest::HashName;
use crate::request::Request;

/// What RFC 3986 leaves as it is.
const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Why the signature of a request is invalid: the code and the message of S3.
pub(crate) type Refused = (&'static str, &'static str);

/// Whether `request` was signed with this key.
pub(crate) fn check(request: &Request, key_id: &str, secret: &str) -> Result<(), Refused> {
    let malformed = ("AuthorizationHeaderMalformed", "The authorization header you provided is invalid.");
    let authorization = request.header("authorization").unwrap_or_default();
    let fields = authorization.strip_prefix("AWS4-HMAC-SHA256 ").ok_or(malformed)?;
    let field = |name: &str| {
        let mut fields = fields.split(',').filter_map(|field| field.trim().split_once('='));
        fields.find(|(known, _)| *known == name).map(|(_, value)| value).ok_or(malformed)
    };
    let (claimed_key, scope) = field("Credential")?.split_once('/').ok_or(malformed)?;
    if claimed_key != key_id {
        return Err(("InvalidAccessKeyId", "The AWS access key Id you provided does not exist in our records."));
    }
    let [date, region, "s3", "aws4_request"] = scope.split('/').collect::<Vec<_>>()[..] else { return Err(malformed) };
    let time = request.header("x-amz-date").filter(|time| time.starts_with(date)).ok_or(malformed)?;
    let signed_headers = field("SignedHeaders")?;
    let needs_signature = |name: &str| name == "host" || name.starts_with("x-amz-");
    let is_signed = |name: &str| signed_headers.split(';').any(|signed| signed == name);
    if request.headers.iter().any(|(name, _)| needs_signature(&name.to_lowercase()) && !is_signed(&name.to_lowercase()))
    {
        return Err(("AccessDenied", "There were headers present in the request which were not signed"));
    }
    let claimed_hash = request.header("x-amz-content-sha256").ok_or(malformed)?;
    if claimed_hash != "UNSIGNED-PAYLOAD" && claimed_hash != HashName::Sha256.hex(&request.body) {
        return Err(("XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match."));
    }

    let canonical = canonical(request, signed_headers, claimed_hash);
    let canonical_hash = HashName::Sha256.hex(canonical.as_bytes());
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{canonical_hash}");
    let secret = format!("AWS4{secret}");
    let key = [date, region, "s3", "aws4_request"].iter().fold(secret.into_bytes(), |key, part| mac(&key, part));
    if hex::encode(mac(&key, &text)) == field("Signature")? {
        return Ok(());
    }
    Err(("SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided."))
}

/// The request in the one form that both sides hash.
fn canonical(request: &Request, signed_headers: &str, body_hash: &str) -> String {
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let path: Vec<_> = path.split('/').map(reencoded).collect();
    let mut query: Vec<_> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| format!("{}={}", reencoded(name), reencoded(value)))
        .collect();
    query.sort();
    let header = |name: &str| {
        let values = request.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let values: Vec<_> = values.map(|(_, value)| value.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        format!("{name}:{}\n", values.join(","))
    };
    let headers: String = signed_headers.split(';').map(header).collect();
    let (path, query) = (path.join("/"), query.join("&"));
    format!("{}\n{path}\n{query}\n{headers}\n{signed_headers}\n{body_hash}", request.method)
}

fn reencoded(text: &str) -> String {
    utf8_percent_encode(&percent_decode_str(text).decode_utf8_lossy(), STRICT).to_string()
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}
