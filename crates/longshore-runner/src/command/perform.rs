//! What each command does.
//!
//! Sans-IO. An error is the text of what is wrong; the step fails for it when it ends. Texts are the runner's.

use longshore_event::{Annotation, AnnotationLevel};

use super::effect::{Effect, Effects};
use super::issue;
use super::matcher::owners;
use super::path::resolve;
use super::step_output::{State, StepOutput};
use super::workflow_command::{CommandName, WorkflowCommand};

/// Variables that `set-env` may not set, because they lead to code.
const BLOCKED_VARIABLES: [&str; 1] = ["NODE_OPTIONS"];

impl StepOutput {
    /// Carries a command out.
    pub(super) fn perform(
        &self,
        name: CommandName,
        command: &WorkflowCommand,
        state: &mut State,
        effects: &mut Effects<'_>,
    ) -> Result<(), String> {
        match name {
            CommandName::Error => self.annotate(AnnotationLevel::Error, command, state, effects),
            CommandName::Warning => self.annotate(AnnotationLevel::Warning, command, state, effects),
            CommandName::Notice => self.annotate(AnnotationLevel::Notice, command, state, effects),
            CommandName::Debug => self.debug(&command.data, effects),
            CommandName::Group => effects.text("##[group]", &command.data),
            CommandName::EndGroup => effects.text("##[endgroup]", ""),
            CommandName::AddMask => self.add_mask(&command.data, state, effects),
            CommandName::Echo => return self.echo(&command.data, state, effects),
            CommandName::AddMatcher => return self.add_matcher(&command.data, state, effects),
            CommandName::RemoveMatcher => return self.remove_matcher(command, state, effects),
            CommandName::SetOutput => return self.set_output(command, state, effects),
            CommandName::SaveState => return self.save_state(command, state, effects),
            CommandName::SetEnv => return self.set_env(command, state, effects),
            CommandName::AddPath => return self.add_path(&command.data, effects),
            // Carried out where it is decided which lines are commands.
            CommandName::StopCommands => {}
        }
        Ok(())
    }

    fn annotate(
        &self,
        level: AnnotationLevel,
        command: &WorkflowCommand,
        state: &mut State,
        effects: &mut Effects<'_>,
    ) {
        let (annotation, remarks) = issue::annotation(level, command, &self.options.workspace);
        remarks.iter().for_each(|remark| self.debug(remark, effects));
        state.finding(annotation, None, effects);
    }

    fn add_mask(&self, secret: &str, state: &mut State, effects: &mut Effects<'_>) {
        if secret.trim().is_empty() {
            return warn("Can't add secret mask for empty string in ##[add-mask] command.", state, effects);
        }
        if state.echo {
            effects.text("", "::add-mask::***");
        }
        // Each line is a secret of its own, however short; the masker alone leaves out the shortest.
        let lines = secret.split(['\r', '\n']).map(str::trim).filter(|line| !line.is_empty());
        self.masker.add(std::iter::once(secret).chain(lines));
        effects.push(Effect::AddMask);
    }

    fn echo(&self, value: &str, state: &mut State, effects: &mut Effects<'_>) -> Result<(), String> {
        if value.is_empty() {
            return Err("Value cannot be null. (Parameter 'value')".to_owned());
        }
        state.echo = match value.trim().to_ascii_lowercase().as_str() {
            "on" => true,
            "off" => false,
            _ => {
                return Err(format!(
                    "Invalid echo command value. Possible values can be: 'on', 'off'. Current value is: '{value}'."
                ));
            }
        };
        let setting = if state.echo { "on" } else { "off" };
        self.debug(&format!("Setting echo command value to '{setting}'"), effects);
        Ok(())
    }

    fn add_matcher(&self, file: &str, state: &mut State, effects: &mut Effects<'_>) -> Result<(), String> {
        if file.is_empty() {
            warn("File path must be specified.", state, effects);
            return Ok(());
        }
        let document = self.files.read(&resolve(&self.options.workspace, file))?;
        let added = self.matchers.add(&document).map_err(|error| error.to_string())?;
        added.warnings.iter().for_each(|warning| warn(warning, state, effects));
        if !added.owners.is_empty() {
            let owners: Vec<String> = added.owners.iter().map(|owner| format!("'{owner}'")).collect();
            let text = format!(
                "Added matchers: {}. Problem matchers scan action output for known warning or error strings and \
                 report these inline.",
                owners.join(", ")
            );
            self.debug(&text, effects);
        }
        Ok(())
    }

    fn remove_matcher(
        &self,
        command: &WorkflowCommand,
        state: &mut State,
        effects: &mut Effects<'_>,
    ) -> Result<(), String> {
        let owner = command.property("owner").unwrap_or_default();
        match (owner, command.data.as_str()) {
            ("", "") => warn(
                "Either an owner name or a file path must be specified in ##[remove-matcher] command.",
                state,
                effects,
            ),
            (owner, "") => self.matchers.remove([owner]),
            ("", file) => {
                let document = self.files.read(&resolve(&self.options.workspace, file))?;
                let owners = owners(&document).map_err(|error| error.to_string())?;
                self.matchers.remove(owners.iter().map(String::as_str));
            }
            _ => warn(
                "Either specify an owner name or a file path in ##[remove-matcher] command. Both values cannot be set.",
                state,
                effects,
            ),
        }
        Ok(())
    }

    fn set_output(
        &self,
        command: &WorkflowCommand,
        state: &mut State,
        effects: &mut Effects<'_>,
    ) -> Result<(), String> {
        warn_of_age(CommandName::SetOutput, state, effects);
        let name = required_name(command, CommandName::SetOutput)?;
        let value = command.data.clone();
        self.debug(&format!("{name}='{value}'"), effects);
        effects.push(Effect::SetOutput { name, value });
        Ok(())
    }

    fn save_state(
        &self,
        command: &WorkflowCommand,
        state: &mut State,
        effects: &mut Effects<'_>,
    ) -> Result<(), String> {
        warn_of_age(CommandName::SaveState, state, effects);
        let name = required_name(command, CommandName::SaveState)?;
        let value = command.data.clone();
        self.debug(&format!("Save intra-action state {name} = {value}"), effects);
        effects.push(Effect::SaveState { name, value });
        Ok(())
    }

    fn set_env(
        &self,
        command: &WorkflowCommand,
        state: &mut State,
        effects: &mut Effects<'_>,
    ) -> Result<(), String> {
        self.unsecure(CommandName::SetEnv)?;
        let name = required_name(command, CommandName::SetEnv)?;
        if let Some(blocked) = BLOCKED_VARIABLES.iter().find(|blocked| blocked.eq_ignore_ascii_case(&name)) {
            let message = format!("Can't update {blocked} environment variable using ::set-env:: command.");
            state.finding(Annotation::new(AnnotationLevel::Error, message), None, effects);
            return Ok(());
        }
        let value = command.data.clone();
        self.debug(&format!("{name}='{value}'"), effects);
        effects.push(Effect::SetEnv { name, value });
        Ok(())
    }

    fn add_path(&self, path: &str, effects: &mut Effects<'_>) -> Result<(), String> {
        self.unsecure(CommandName::AddPath)?;
        if path.is_empty() {
            return Err("Value cannot be null. (Parameter 'path')".to_owned());
        }
        effects.push(Effect::AddPath(path.to_owned()));
        Ok(())
    }

    /// Refuses commands by which output of untrusted programs could run code in later steps.
    fn unsecure(&self, name: CommandName) -> Result<(), String> {
        if self.options.allow_unsecure_commands {
            return Ok(());
        }
        Err(format!(
            "The `{}` command is disabled. Please upgrade to using Environment Files or opt into unsecure command \
             execution by setting the `ACTIONS_ALLOW_UNSECURE_COMMANDS` environment variable to `true`. For more \
             information see: https://github.blog/changelog/2020-10-01-github-actions-deprecating-set-env-and-add-path-commands/",
            name.as_str()
        ))
    }
}

fn warn(text: &str, state: &mut State, effects: &mut Effects<'_>) {
    state.finding(Annotation::new(AnnotationLevel::Warning, text), None, effects);
}

/// Warns of a command that may go, the first time that a step uses it.
fn warn_of_age(name: CommandName, state: &mut State, effects: &mut Effects<'_>) {
    if state.warned.contains(&name) {
        return;
    }
    state.warned.push(name);
    let text = format!(
        "The `{}` command is deprecated and will be disabled soon. Please upgrade to using Environment Files. For more \
         information see: https://github.blog/changelog/2022-10-11-github-actions-deprecating-save-state-and-set-output-commands/",
        name.as_str()
    );
    warn(&text, state, effects);
}

fn required_name(command: &WorkflowCommand, name: CommandName) -> Result<String, String> {
    let given = command.property("name").filter(|given| !given.is_empty());
    given
        .map(str::to_owned)
        .ok_or_else(|| format!("Required field 'name' is missing in ##[{}] command.", name.as_str()))
}
