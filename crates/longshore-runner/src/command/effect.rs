//! What output brings about, in order.
//!
//! Sans-IO. All text that people will see passes through [`Effects`], so that there is one place where it is masked.

use std::borrow::Cow;

use longshore_event::{Annotation, AnnotationLevel, Masker};

/// As much of a message as an annotation of GitHub holds, in characters.
const MESSAGE_LIMIT: usize = 4096;

/// One thing that output brings about.
///
/// Lines, annotations and failures are masked. Values are not: steps get them as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Lines of the log, as in GitHub's raw logs.
    Lines(Vec<String>),
    /// A finding. What it says stands in the log, too.
    Annotation(Annotation),
    /// `set-output`.
    SetOutput {
        /// The output's name.
        name: String,
        /// Its value.
        value: String,
    },
    /// `save-state`.
    SaveState {
        /// The name, without `STATE_`.
        name: String,
        /// Its value.
        value: String,
    },
    /// `set-env`, which was allowed.
    SetEnv {
        /// The variable's name.
        name: String,
        /// Its value.
        value: String,
    },
    /// `add-path`, which was allowed: the directory goes before all others, and leaves its old place.
    AddPath(String),
    /// `add-mask`: the masker knows the secret already.
    AddMask,
    /// A command failed, so the step does when it ends. The text stands in the log, too.
    Failure(String),
}

/// Effects as they come about. Lines that follow each other are one effect.
pub(super) struct Effects<'m> {
    masker: &'m Masker,
    list: Vec<Effect>,
}

impl<'m> Effects<'m> {
    pub(super) fn new(masker: &'m Masker) -> Self {
        Self { masker, list: Vec::new() }
    }

    pub(super) fn into_list(self) -> Vec<Effect> {
        self.list
    }

    /// What is not shown.
    pub(super) fn push(&mut self, effect: Effect) {
        self.list.push(effect);
    }

    /// A line as it is.
    pub(super) fn line(&mut self, line: Cow<'_, str>) {
        let masked = match self.masker.mask(&line) {
            Cow::Owned(masked) => masked,
            Cow::Borrowed(_) => line.into_owned(),
        };
        self.push_line(masked);
    }

    /// A text of the runner, which may have several lines. Only the first one has the tag.
    pub(super) fn text(&mut self, tag: &str, text: &str) {
        // Masked as a whole, because secrets may have several lines.
        let masked = self.masker.mask(text);
        let mut lines = masked.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
        self.push_line(format!("{tag}{}", lines.next().unwrap_or_default()));
        lines.for_each(|line| self.push_line(line.to_owned()));
    }

    /// A message for debugging: each line has the tag.
    pub(super) fn debug(&mut self, text: &str) {
        let masked = self.masker.mask(text);
        for line in masked.split('\n') {
            self.push_line(format!("##[debug]{}", line.strip_suffix('\r').unwrap_or(line)));
        }
    }

    /// A finding; `line` stands in the log, under the tag of its level. `counted` says whether it is an annotation, too.
    pub(super) fn finding(&mut self, mut annotation: Annotation, line: Option<&str>, counted: bool) {
        self.text(tag(annotation.level), line.unwrap_or(&annotation.message));
        if !counted {
            return;
        }
        let texts = [Some(&mut annotation.message), annotation.title.as_mut(), annotation.file.as_mut()];
        for text in texts.into_iter().flatten() {
            let shown = first_characters(&self.masker.mask(text), MESSAGE_LIMIT).to_owned();
            *text = shown;
        }
        self.list.push(Effect::Annotation(annotation));
    }

    /// A failure, whose text is not in the log yet.
    pub(super) fn failure(&mut self, text: &str) {
        let text = self.masker.mask(text).into_owned();
        self.list.push(Effect::Failure(text));
    }

    fn push_line(&mut self, line: String) {
        if let Some(Effect::Lines(lines)) = self.list.last_mut() {
            lines.push(line);
        } else {
            self.list.push(Effect::Lines(vec![line]));
        }
    }
}

fn tag(level: AnnotationLevel) -> &'static str {
    match level {
        AnnotationLevel::Notice => "##[notice]",
        AnnotationLevel::Warning => "##[warning]",
        AnnotationLevel::Error => "##[error]",
    }
}

fn first_characters(text: &str, count: usize) -> &str {
    text.char_indices().nth(count).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}
