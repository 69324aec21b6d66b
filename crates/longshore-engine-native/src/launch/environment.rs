//! The variables of a container's processes.

use longshore_engine::ContainerSpec;

use super::DEFAULT_PATH;
use crate::record::RecordDto;
use crate::user::User;

/// The variables of a container, as Docker puts them together: its own first, then the image's and the user's.
pub(crate) fn of_container(record: &RecordDto, user: &User) -> Vec<String> {
    let mut variables = Variables::default();
    variables.set(&format!("PATH={DEFAULT_PATH}"));
    variables.set(&format!("HOSTNAME={}", hostname(record)));
    if record.spec.tty {
        variables.set("TERM=xterm");
    }
    for variable in &record.spec.env {
        variables.set(variable);
    }
    variables.set_if_absent(&format!("HOME={}", user.home));
    variables.0
}

/// The variables of a further process: those of the container, and then its own.
pub(crate) fn of_exec(record: &RecordDto, user: &User, tty: bool, further: &[String]) -> Vec<String> {
    let mut variables = Variables(of_container(record, user));
    if user_differs(&record.spec, user) {
        variables.set(&format!("HOME={}", user.home));
    }
    if tty {
        variables.set_if_absent("TERM=xterm");
    }
    for variable in further {
        variables.set(variable);
    }
    variables.0
}

/// The home is the user's own, unless the specification sets it.
fn user_differs(spec: &ContainerSpec, _user: &User) -> bool {
    !spec.env.iter().any(|variable| variable.starts_with("HOME="))
}

fn hostname(record: &RecordDto) -> String {
    record.spec.hostname.clone().unwrap_or_else(|| record.id.short().to_owned())
}

/// Variables as `NAME=value`, each name once, at the place where it was first set.
#[derive(Default)]
struct Variables(Vec<String>);

impl Variables {
    fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|variable| variable.split('=').next() == Some(name))
    }

    /// Sets a variable; a name without value removes it, as in Docker.
    fn set(&mut self, variable: &str) {
        let (name, value) =
            variable.split_once('=').map_or((variable, None), |(name, value)| (name, Some(value)));
        match (self.position(name), value) {
            (Some(position), Some(_)) => variable.clone_into(&mut self.0[position]),
            (Some(position), None) => {
                self.0.remove(position);
            }
            (None, Some(_)) => self.0.push(variable.to_owned()),
            (None, None) => {}
        }
    }

    fn set_if_absent(&mut self, variable: &str) {
        let name = variable.split('=').next().unwrap_or_default();
        if self.position(name).is_none() {
            self.0.push(variable.to_owned());
        }
    }
}
