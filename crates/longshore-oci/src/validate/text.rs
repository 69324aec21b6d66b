//! Forms of strings: points in time and addresses.

/// Whether a text is a date and time of RFC 3339, section 5.6.
pub(super) fn is_date_time(text: &str) -> bool {
    let Some((date, rest)) = text.split_at_checked(10) else { return false };
    let Some((time, rest)) = rest.split_at_checked(9) else { return false };
    let Some([year, month, day]) = numbers(date, '-') else { return false };
    let Some([hour, minute, second]) = time.strip_prefix(['T', 't']).and_then(|time| numbers(time, ':'))
    else {
        return false;
    };
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|each: char| each.is_ascii_digit());
            if zone.len() == fraction.len() {
                return false;
            }
            zone
        }
        None => rest,
    };
    (1..=12).contains(&month)
        && (1..=days(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && (second < 60 || second == 60 && minute == 59)
        && is_zone(zone)
}

fn is_zone(zone: &str) -> bool {
    if zone.eq_ignore_ascii_case("z") {
        return true;
    }
    let offset = zone.strip_prefix(['+', '-']).filter(|offset| offset.len() == 5);
    offset.and_then(|offset| numbers(offset, ':')).is_some_and(|[hour, minute]| hour < 24 && minute < 60)
}

/// The numbers of a text such as `12:30`, each of two digits, the first of four if three are wanted by dashes.
fn numbers<const COUNT: usize>(text: &str, separator: char) -> Option<[u32; COUNT]> {
    let mut numbers = [0; COUNT];
    let mut parts = text.split(separator);
    for (index, number) in numbers.iter_mut().enumerate() {
        let digits = if separator == '-' && index == 0 { 4 } else { 2 };
        let part = parts.next().filter(|part| part.len() == digits)?;
        if !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

fn days(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Whether a text has the form of a URI of RFC 3986: a scheme, and after it only characters that URIs have.
pub(super) fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    scheme.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && scheme.bytes().all(letter)
        && !rest.is_empty()
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte))
        && rest.split('%').skip(1).all(is_escape)
        && rest.matches('#').count() <= 1
}

fn is_escape(after: &str) -> bool {
    let mut digits = after.bytes();
    let mut digit = || digits.next().is_some_and(|byte| byte.is_ascii_hexdigit());
    digit() && digit()
}

#[cfg(test)]
mod tests {
    use super::{is_date_time, is_uri};

    #[test]
    fn knows_points_in_time() {
        for (text, expected) in [
            ("2015-10-31T22:22:56.015925234Z", true),
            ("0001-01-01T00:00:00Z", true),
            ("2024-02-29t12:00:00+01:30", true),
            ("2016-12-31T23:59:60Z", true),
            ("2023-02-29T12:00:00Z", false),
            ("2023-04-31T12:00:00Z", false),
            ("2023-13-01T12:00:00Z", false),
            ("2023-01-01T24:00:00Z", false),
            ("2023-01-01T12:00:60Z", false),
            ("2023-01-01T12:00:00", false),
            ("2023-01-01T12:00:00.Z", false),
            ("2023-01-01T12:00:00+1:00", false),
            ("2023-01-01 12:00:00Z", false),
            ("2023-1-01T12:00:00Z0", false),
            ("2023-01-01", false),
            ("ü023-01-01T12:00:00Z", false),
            ("", false),
        ] {
            assert_eq!(is_date_time(text), expected, "for {text}");
        }
    }

    #[test]
    fn knows_addresses() {
        for (text, expected) in [
            ("https://example.com/a%20b?c=d#e", true),
            ("http://[::1]:5000/", true),
            ("urn:isbn:0451450523", true),
            ("value", false),
            ("/a/b", false),
            ("1http://a", false),
            ("http://a b", false),
            ("http://a/%2", false),
            ("http://ä", false),
            (":", false),
        ] {
            assert_eq!(is_uri(text), expected, "for {text}");
        }
    }
}
