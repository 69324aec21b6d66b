//! Walks the tree of a template and writes what it prints.

use std::fmt::Display;

use super::node::{Block, Branch, BranchKind, Command, Invocation, Pipe, Statement, Word};
use super::{FunctionSet, MissingKey, Template, TemplateError};
use crate::quote::quote;
use crate::value::Value;
use crate::verb;

/// How many bytes a template may print.
const MAX_OUTPUT: usize = 16 << 20;
/// How many bytes of texts it may make on the way.
const MAX_WORK: usize = 64 << 20;
/// How many statements and commands it may carry out.
const MAX_STEPS: usize = 1_000_000;
/// How deep blocks, templates and parentheses may be entered.
const MAX_DEPTH: usize = 200;

/// What an error is about.
#[derive(Clone, Copy)]
pub(super) enum Place<'t> {
    Pipe(&'t Pipe),
    Command(&'t Command),
    Word(&'t Word),
    Template(&'t Invocation),
    Nowhere,
}

/// How a block ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Done,
    Break,
    Continue,
}

/// The state of a rendering.
pub(super) struct Executor<'t> {
    template: &'t Template,
    pub(super) missing: MissingKey,
    pub(super) functions: FunctionSet,
    /// The name of the template that is executed.
    name: &'t str,
    pub(super) variables: Vec<(&'t str, Value)>,
    pub(super) place: Place<'t>,
    out: String,
    work: usize,
    steps: usize,
    depth: usize,
}

/// What can fail while a template is rendered.
pub(super) type Rendered<T> = Result<T, TemplateError>;

impl<'t> Executor<'t> {
    pub(super) fn new(template: &'t Template, missing: MissingKey, functions: FunctionSet) -> Self {
        Self {
            template,
            missing,
            functions,
            name: "",
            variables: Vec::new(),
            place: Place::Nowhere,
            out: String::new(),
            work: 0,
            steps: 0,
            depth: 0,
        }
    }

    pub(super) fn run(mut self, value: &Value) -> Rendered<String> {
        let template = self.template;
        self.variables.push(("$", value.clone()));
        if let Some(main) = template.blocks.get("") {
            self.block(value, main)?;
        }
        Ok(self.out)
    }

    /// An error at the present place.
    pub(super) fn error(&self, reason: impl Display) -> TemplateError {
        let (position, context) = match self.place {
            Place::Pipe(pipe) => (pipe.position, pipe.to_string()),
            Place::Command(command) => (command.position, command.to_string()),
            Place::Word(word) => (word.position, word.to_string()),
            Place::Template(invocation) => (invocation.position, invocation.to_string()),
            Place::Nowhere => (0, String::new()),
        };
        let before = self.template.text.get(..position).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rfind('\n').map_or(position, |feed| position - feed - 1);
        TemplateError::Execution {
            line,
            column,
            template: self.name.to_owned(),
            context,
            reason: reason.to_string(),
        }
    }

    /// Counts one step.
    pub(super) fn step(&mut self) -> Rendered<()> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err(TemplateError::Limit { what: "it takes", most: "1,000,000 steps" });
        }
        Ok(())
    }

    /// Counts bytes that were made.
    pub(super) fn spend(&mut self, bytes: usize) -> Rendered<()> {
        self.work = self.work.saturating_add(bytes);
        if self.work > MAX_WORK {
            return Err(TemplateError::Limit { what: "it makes", most: "64 MiB of text" });
        }
        Ok(())
    }

    /// Goes one level deeper.
    pub(super) fn enter<T>(&mut self, walk: impl FnOnce(&mut Self) -> Rendered<T>) -> Rendered<T> {
        if self.depth == MAX_DEPTH {
            return Err(self.error(format!("exceeded maximum template depth ({MAX_DEPTH})")));
        }
        self.depth += 1;
        let walked = walk(self);
        self.depth -= 1;
        walked
    }

    fn print(&mut self, text: &str) -> Rendered<()> {
        if self.out.len() + text.len() > MAX_OUTPUT {
            return Err(TemplateError::Limit { what: "it prints", most: "16 MiB" });
        }
        self.out.push_str(text);
        Ok(())
    }

    fn block(&mut self, dot: &Value, block: &'t Block) -> Rendered<Flow> {
        self.enter(|executor| {
            for statement in block {
                let flow = executor.statement(dot, statement)?;
                if flow != Flow::Done {
                    return Ok(flow);
                }
            }
            Ok(Flow::Done)
        })
    }

    fn statement(&mut self, dot: &Value, statement: &'t Statement) -> Rendered<Flow> {
        self.step()?;
        match statement {
            Statement::Text(text) => self.print(text)?,
            Statement::Action(pipe) => {
                let value = self.pipeline(dot, pipe)?;
                if pipe.variables.is_empty() {
                    let text = printed(&value);
                    if let Value::Lookup(_) = value {
                        return Err(self.error(format!("can't print {pipe} of type {}", value.type_name())));
                    }
                    self.spend(text.len())?;
                    self.print(&text)?;
                }
            }
            Statement::Branch(branch) => {
                let mark = self.variables.len();
                let flow = self.branch(dot, branch);
                self.variables.truncate(mark);
                return flow;
            }
            Statement::Template(invocation) => self.invocation(dot, invocation)?,
            Statement::Break => return Ok(Flow::Break),
            Statement::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Done)
    }

    fn branch(&mut self, dot: &Value, branch: &'t Branch) -> Rendered<Flow> {
        let value = self.pipeline(dot, &branch.pipe)?;
        if branch.kind == BranchKind::Range {
            return self.range(dot, &value, branch);
        }
        let inner = if branch.kind == BranchKind::With { &value } else { dot };
        match (value.is_true(), &branch.otherwise) {
            (true, _) => self.block(inner, &branch.body),
            (false, Some(otherwise)) => self.block(dot, otherwise),
            (false, None) => Ok(Flow::Done),
        }
    }

    fn range(&mut self, dot: &Value, value: &Value, branch: &'t Branch) -> Rendered<Flow> {
        let mark = self.variables.len();
        let mut count = 0_usize;
        let mut flow = Flow::Done;
        let mut visit = |executor: &mut Self, key: Value, element: &Value| {
            count += 1;
            executor.step()?;
            executor.bind(&branch.pipe, key, element)?;
            flow = executor.block(element, &branch.body)?;
            executor.variables.truncate(mark);
            Ok(flow == Flow::Break)
        };
        let number = |index: usize| Value::Int(i64::try_from(index).unwrap_or(i64::MAX));
        match value {
            Value::Absent => {}
            Value::List(list) => {
                for (index, element) in list.items.iter().enumerate() {
                    if visit(self, number(index), element)? {
                        break;
                    }
                }
            }
            Value::Map(map) => {
                for (key, element) in &map.entries {
                    if visit(self, Value::Text(key.clone()), element)? {
                        break;
                    }
                }
            }
            Value::Int(most) if branch.pipe.variables.len() < 2 => {
                for index in 0..*most {
                    if visit(self, Value::Int(index), &Value::Int(index))? {
                        break;
                    }
                }
            }
            Value::Int(_) => {
                return Err(self
                    .error(format!("can't use {} to iterate over more than one variable", printed(value))));
            }
            other => {
                return Err(self.error(format!("range can't iterate over {}", verb::display(other))));
            }
        }
        match &branch.otherwise {
            Some(otherwise) if count == 0 => self.block(dot, otherwise),
            _ => Ok(Flow::Done),
        }
    }

    /// Sets the variables of a `range` for one element.
    fn bind(&mut self, pipe: &'t Pipe, key: Value, element: &Value) -> Rendered<()> {
        let values = match pipe.variables.as_slice() {
            [] => return Ok(()),
            [_] => vec![element.clone()],
            _ => vec![key, element.clone()],
        };
        let first = self.variables.len().saturating_sub(values.len());
        for (index, (name, value)) in pipe.variables.iter().zip(values).enumerate() {
            if pipe.assigns {
                self.assign(name, value)?;
            } else if let Some(variable) = self.variables.get_mut(first + index) {
                variable.1 = value;
            }
        }
        Ok(())
    }

    /// Changes the innermost variable of a name.
    pub(super) fn assign(&mut self, name: &str, value: Value) -> Rendered<()> {
        match self.variables.iter_mut().rev().find(|variable| variable.0 == name) {
            Some(variable) => {
                variable.1 = value;
                Ok(())
            }
            None => Err(self.error(format!("undefined variable: {name}"))),
        }
    }

    fn invocation(&mut self, dot: &Value, invocation: &'t Invocation) -> Rendered<()> {
        self.place = Place::Template(invocation);
        let template = self.template;
        let Some((name, block)) = template.blocks.get_key_value(&invocation.name) else {
            return Err(self.error(format!("template {} not defined", quote(&invocation.name))));
        };
        let value = match &invocation.pipe {
            Some(pipe) => self.pipeline(dot, pipe)?,
            None => Value::Absent,
        };
        let variables = std::mem::replace(&mut self.variables, vec![("$", value.clone())]);
        let outer = std::mem::replace(&mut self.name, name);
        self.place = Place::Template(invocation);
        self.block(&value, block)?;
        self.variables = variables;
        self.name = outer;
        Ok(())
    }
}

/// A value as an action prints it.
pub(super) fn printed(value: &Value) -> String {
    match value {
        Value::Absent => "<no value>".to_owned(),
        Value::Text(text) => text.to_string(),
        value => verb::display(value),
    }
}
