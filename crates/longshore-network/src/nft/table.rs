//! A table of rules as a value, and the batch that makes the kernel's table be that value.
//!
//! Rules are replaced as a whole, in one transaction: the kernel never holds half of them, and what an earlier process left
//! behind, dead or alive, is gone. Rules that only come in addition are appended, which costs less.

use super::expression::Expression;
use super::{DELETE_RULE, DELETE_TABLE, NEW_CHAIN, NEW_RULE, NEW_TABLE, header};
use crate::netlink::message::{ACK, APPEND, CREATE, Message};

/// Where packets enter a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hook {
    /// Before connections are tracked.
    Raw,
    /// Before routing, where destinations are rewritten.
    Prerouting,
    /// Packets that pass through.
    Forward,
    /// What local processes send, where destinations are rewritten.
    Output,
    /// After routing, where sources are rewritten.
    Postrouting,
}

/// A rule: expressions that are all true, and what then happens.
pub(crate) type Rule = Vec<Expression>;

/// A chain that the kernel enters by itself. Packets that no rule decides about pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chain {
    pub(crate) name: &'static str,
    pub(crate) hook: Hook,
    pub(crate) rules: Vec<Rule>,
}

/// A table of the family `ip`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) chains: Vec<Chain>,
}

impl Hook {
    /// The number of the hook, the priority, and the type of chain.
    fn place(self) -> (u32, i32, &'static str) {
        match self {
            Self::Raw => (0, -300, "filter"),
            Self::Prerouting => (0, -100, "nat"),
            Self::Forward => (2, 0, "filter"),
            Self::Output => (3, -100, "nat"),
            Self::Postrouting => (4, 100, "nat"),
        }
    }
}

impl Table {
    /// The changes after which there is this table, and no rule that is not in it.
    ///
    /// Chains that are there already are kept and emptied: taking one away makes the kernel wait for all processors,
    /// which costs milliseconds.
    pub(super) fn replacement(&self, present: bool) -> Vec<Message> {
        let mut changes =
            vec![Message::new(NEW_TABLE, CREATE).fixed(&header()).text(1, &self.name).big(2, 0)];
        changes.extend(self.chains.iter().map(|chain| self.chain(chain)));
        if present {
            changes.push(Message::new(DELETE_RULE, 0).fixed(&header()).text(1, &self.name));
        }
        for chain in &self.chains {
            changes.extend(chain.rules.iter().map(|rule| append(&self.name, chain.name, rule)));
        }
        if let Some(last) = changes.pop() {
            changes.push(last.with_flags(ACK));
        }
        changes
    }

    /// The changes after which there is no table of a name, whether there was one or not.
    pub(super) fn removal(name: &str) -> Vec<Message> {
        vec![
            Message::new(NEW_TABLE, CREATE).fixed(&header()).text(1, name).big(2, 0),
            Message::new(DELETE_TABLE, 0).fixed(&header()).text(1, name),
        ]
    }

    fn chain(&self, chain: &Chain) -> Message {
        let (hook, priority, kind) = chain.hook.place();
        Message::new(NEW_CHAIN, CREATE)
            .fixed(&header())
            .text(1, &self.name)
            .text(3, chain.name)
            .nest(4, |place| place.big(1, hook).big(2, priority.cast_unsigned()))
            .big(5, 1)
            .text(7, kind)
    }
}

/// The changes that add rules at the ends of their chains.
pub(super) fn addition(table: &str, rules: &[(&str, Rule)]) -> Vec<Message> {
    let mut changes: Vec<Message> = rules.iter().map(|(chain, rule)| append(table, chain, rule)).collect();
    if let Some(last) = changes.pop() {
        changes.push(last.with_flags(ACK));
    }
    changes
}

fn append(table: &str, chain: &str, rule: &[Expression]) -> Message {
    with_expressions(
        Message::new(NEW_RULE, CREATE | APPEND).fixed(&header()).text(1, table).text(2, chain),
        rule,
    )
}

/// Adds the expressions of a rule to a message about it.
pub(super) fn with_expressions(message: Message, rule: &[Expression]) -> Message {
    message.nest(4, |list| rule.iter().fold(list, |list, expression| expression.encode(list)))
}
