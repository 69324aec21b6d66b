//! Texts without the secrets in them, which come back when the secrets are given again.
//!
//! In a sealed text, `\u{1}NAME\u{1}` stands for the value of the secret `NAME`, and `\u{1}\u{1}` for the character itself.
//! A text that still holds something that is masked, such as a part of a secret or what a step masked itself, cannot be
//! sealed: it is left out.

use longshore_core::Secret;
use longshore_event::Masker;

const MARK: char = '\u{1}';

/// Takes named secrets out of texts.
pub(crate) struct Seal<'m> {
    /// Names and values, the longest value first.
    secrets: Vec<(String, String)>,
    masker: &'m Masker,
}

impl<'m> Seal<'m> {
    pub(crate) fn new(secrets: impl IntoIterator<Item = (String, String)>, masker: &'m Masker) -> Self {
        let mut secrets: Vec<(String, String)> =
            secrets.into_iter().filter(|(name, value)| !name.is_empty() && !value.is_empty()).collect();
        secrets.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
        Self { secrets, masker }
    }

    /// The text without secrets; none if that cannot be.
    pub(crate) fn seal(&self, text: &str) -> Option<String> {
        let mut sealed = String::with_capacity(text.len());
        let mut plain = String::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let found = self.secrets.iter().find(|(_, value)| rest.starts_with(value.as_str()));
            if let Some((name, value)) = found {
                sealed.extend([MARK]);
                sealed.push_str(name);
                sealed.extend([MARK]);
                // Two halves beside a secret must not look like one.
                plain.push(MARK);
                rest = rest.get(value.len()..).unwrap_or_default();
                continue;
            }
            if first == MARK {
                sealed.push(MARK);
            }
            sealed.push(first);
            plain.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
        (!self.masker.finds_in(&plain)).then_some(sealed)
    }

    /// Names and texts; what cannot be sealed has none.
    pub(crate) fn pairs(&self, pairs: &[(String, String)]) -> Vec<(String, Option<String>)> {
        pairs.iter().map(|(name, value)| (name.clone(), self.seal(value))).collect()
    }
}

/// The text with its secrets.
///
/// # Errors
/// The name of a secret that is not given.
pub(crate) fn unseal(sealed: &str, secrets: &[(String, String)]) -> Result<String, String> {
    let mut text = String::with_capacity(sealed.len());
    let mut rest = sealed;
    while let Some((before, after)) = rest.split_once(MARK) {
        text.push_str(before);
        let (name, after) = after.split_once(MARK).unwrap_or(("", after));
        if name.is_empty() {
            text.push(MARK);
        } else {
            let found = secrets.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            text.push_str(found.map(|(_, value)| value).ok_or_else(|| name.to_owned())?);
        }
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}

/// Pairs with their secrets, and why some are missing: the names of secrets to give, or nothing if it cannot be mended.
pub(crate) fn unseal_pairs(
    pairs: &[(String, Option<String>)],
    secrets: &[(String, String)],
) -> (Vec<(String, String)>, Vec<Missing>) {
    let mut missing = Vec::new();
    let mut texts = Vec::new();
    for (name, sealed) in pairs {
        match sealed.as_ref().map(|sealed| unseal(sealed, secrets)) {
            Some(Ok(text)) => texts.push((name.clone(), text)),
            Some(Err(secret)) => missing.push(Missing { name: name.clone(), secret: Some(secret) }),
            None => missing.push(Missing { name: name.clone(), secret: None }),
        }
    }
    (texts, missing)
}

/// Takes secrets out of all texts of a document, its keys excepted; whether that could be.
pub fn seal_json(document: &mut serde_json::Value, secrets: &[(String, Secret<String>)]) -> bool {
    let masker = Masker::default();
    masker.add(secrets.iter().map(|(_, value)| value.expose().as_str()));
    let own = secrets.iter().map(|(name, value)| (name.clone(), value.expose().clone()));
    let seal = Seal::new(own, &masker);
    each_text(document, &mut |text| {
        *text = seal.seal(text).ok_or(())?;
        Ok::<_, ()>(())
    })
    .is_ok()
}

/// Puts secrets back into all texts of a document.
///
/// # Errors
/// The name of a secret that is not given.
pub fn unseal_json(
    document: &mut serde_json::Value,
    secrets: &[(String, Secret<String>)],
) -> Result<(), String> {
    let own: Vec<(String, String)> =
        secrets.iter().map(|(name, value)| (name.clone(), value.expose().clone())).collect();
    each_text(document, &mut |text| {
        *text = unseal(text, &own)?;
        Ok(())
    })
}

fn each_text<E>(
    document: &mut serde_json::Value,
    act: &mut dyn FnMut(&mut String) -> Result<(), E>,
) -> Result<(), E> {
    match document {
        serde_json::Value::String(text) => act(text),
        serde_json::Value::Array(items) => items.iter_mut().try_for_each(|item| each_text(item, act)),
        serde_json::Value::Object(entries) => {
            entries.values_mut().try_for_each(|value| each_text(value, act))
        }
        _ => Ok(()),
    }
}

/// A value that cannot be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The variable.
    pub name: String,
    /// The secret to give; none if what it held was masked by a step and is known to nobody any more.
    pub secret: Option<String>,
}

#[cfg(test)]
mod tests {
    use longshore_event::Masker;
    use proptest::prelude::*;

    use super::{Seal, unseal};

    fn secrets() -> Vec<(String, String)> {
        [("A", "hunter2"), ("LONG", "hunter2-and-more"), ("EMPTY", ""), ("MARK", "x\u{1}y")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec()
    }

    #[test]
    fn secrets_go_and_come_back() {
        let masker = Masker::default();
        masker.add(["hunter2", "hunter2-and-more", "made-by-step"]);
        let seal = Seal::new(secrets(), &masker);
        for text in
            ["", "plain", "Bearer hunter2!", "hunter2-and-more hunter2", "a\u{1}b\u{1}\u{1}", "x\u{1}y"]
        {
            let sealed = seal.seal(text).unwrap();
            assert!(!sealed.contains("hunter2"), "{sealed:?}");
            assert_eq!(unseal(&sealed, &secrets()).unwrap(), text);
        }
        assert_eq!(seal.seal("it was made-by-step"), None);
        assert_eq!(unseal("\u{1}OTHER\u{1}", &secrets()), Err("OTHER".to_owned()));
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in "[a\u{1}xhunter2yé-]{0,40}") {
            let masker = Masker::default();
            let seal = Seal::new(secrets(), &masker);
            let sealed = seal.seal(&text).unwrap();
            prop_assert!(!sealed.contains("hunter2"));
            prop_assert_eq!(unseal(&sealed, &secrets()).unwrap(), text);
        }
    }
}
