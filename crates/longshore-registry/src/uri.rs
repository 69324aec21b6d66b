//! Addresses that registries name, relative or absolute.

use ureq::http::Uri;

/// Longer addresses are not followed.
const MAX_ADDRESS: usize = 16 * 1024;

/// Puts an address that an answer names in relation to what was asked (RFC 3986, section 5, as far as servers use it).
/// Nothing if it is no address of the web.
pub(crate) fn join(base: &Uri, location: &str) -> Option<Uri> {
    let location = location.trim().split('#').next().unwrap_or_default();
    if location.len() > MAX_ADDRESS {
        return None;
    }
    let (scheme, authority) = (base.scheme_str()?, base.authority()?.as_str());
    let text = if location.contains("://") && location.split("://").next().is_some_and(is_scheme) {
        location.to_owned()
    } else if location.starts_with("//") {
        format!("{scheme}:{location}")
    } else if location.starts_with('/') {
        format!("{scheme}://{authority}{location}")
    } else if location.starts_with('?') || location.is_empty() {
        format!("{scheme}://{authority}{}{location}", base.path())
    } else {
        let directory = base.path().rsplit_once('/').map_or("", |(directory, _)| directory);
        format!("{scheme}://{authority}{}", without_dots(&format!("{directory}/{location}")))
    };
    let uri: Uri = text.parse().ok()?;
    let usable = matches!(uri.scheme_str(), Some("http" | "https"))
        && uri.host().is_some_and(|host| !host.is_empty())
        // A user in an address would be sent as credentials, and hides the host from readers.
        && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    usable.then_some(uri)
}

fn is_scheme(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Resolves `.` and `..` in a path, which may have a query.
fn without_dots(path: &str) -> String {
    let (path, query) = path.find('?').map_or((path, ""), |at| path.split_at(at));
    let mut kept: Vec<&str> = Vec::new();
    for part in path.split('/').skip(1) {
        match part {
            "." => {}
            ".." => drop(kept.pop()),
            part => kept.push(part),
        }
    }
    format!("/{}{query}", kept.join("/"))
}

/// An address with more to its query.
pub(crate) fn with_query(uri: &Uri, parameters: &[(&str, &str)]) -> Option<Uri> {
    let mut text = uri.to_string();
    for (name, value) in parameters {
        text.push(if text.contains('?') { '&' } else { '?' });
        text.push_str(name);
        text.push('=');
        text.push_str(&encoded(value));
    }
    text.parse().ok()
}

/// A form of RFC 1866 with these fields.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    let fields: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    fields.join("&")
}

/// A text with everything but letters, digits and `-._~` in percent signs.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Scheme, host and port: what credentials belong to.
pub(crate) fn origin(uri: &Uri) -> (&str, String, u16) {
    let scheme = uri.scheme_str().unwrap_or_default();
    let port = uri.port_u16().unwrap_or(if scheme == "http" { 80 } else { 443 });
    (scheme, uri.host().unwrap_or_default().to_ascii_lowercase(), port)
}

#[cfg(test)]
mod tests {
    use super::{form, join, origin, with_query};
    use ureq::http::Uri;

    #[test]
    fn locations_are_joined() {
        let base: Uri = "http://reg:5000/v2/a/blobs/uploads/?x=1".parse().unwrap();
        for (location, expected) in [
            ("https://cdn.test/x?y=http://z", Some("https://cdn.test/x?y=http://z")),
            ("//cdn.test/x", Some("http://cdn.test/x")),
            ("/v2/b?state=a%2Fb", Some("http://reg:5000/v2/b?state=a%2Fb")),
            ("id?state=//x", Some("http://reg:5000/v2/a/blobs/uploads/id?state=//x")),
            ("../../up/./id", Some("http://reg:5000/v2/a/up/id")),
            ("?n=2#part", Some("http://reg:5000/v2/a/blobs/uploads/?n=2")),
            ("ftp://x/y", None),
            ("file:///etc/passwd", None),
            ("http://user:password@host/", None),
            ("http:///x", None),
            ("http://a b/", None),
        ] {
            assert_eq!(join(&base, location).map(|uri| uri.to_string()).as_deref(), expected, "{location}");
        }
        assert!(join(&base, &"x".repeat(20_000)).is_none());
    }

    #[test]
    fn queries_are_escaped() {
        let base: Uri = "https://auth.test/token?a=b".parse().unwrap();
        let uri = with_query(&base, &[("scope", "repository:a/b:pull,push"), ("service", "x y")]).unwrap();
        assert_eq!(
            uri.to_string(),
            "https://auth.test/token?a=b&scope=repository%3Aa%2Fb%3Apull%2Cpush&service=x%20y"
        );
        assert_eq!(form(&[("a", "ü&="), ("b", "")]), "a=%C3%BC%26%3D&b=");
        assert_eq!(origin(&"HTTPS://A.Test/x".parse().unwrap()), ("https", "a.test".to_owned(), 443));
    }
}
