//! Owns the names that are visible while a program is compiled.
//!
//! Invariant: the frames counted here are exactly the frames the evaluator links while it runs, so that
//! "so many frames up" means the same for both.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::node::Node;

/// A visible name.
#[derive(Debug)]
pub(super) enum Scope<'s> {
    /// Variables of one `as`: one frame.
    Variables(Vec<&'s str>),
    /// Parameters of one function: one frame.
    Parameters(Vec<&'s str>),
    /// A label: one frame.
    Label(&'s str),
    /// A function: no frame.
    Function {
        name: &'s str,
        arity: usize,
        index: u32,
    },
}

/// The visible names, innermost last.
#[derive(Debug, Default)]
pub(super) struct Scopes<'s>(pub(super) Vec<Scope<'s>>);

impl<'s> Scopes<'s> {
    /// From the innermost, with the number of frames between here and there.
    fn outward(&self) -> impl Iterator<Item = (u32, &Scope<'s>)> {
        self.0.iter().rev().scan(0, |hops, scope| {
            let here = *hops;
            if !matches!(scope, Scope::Function { .. }) {
                *hops += 1;
            }
            Some((here, scope))
        })
    }

    /// The variable of this name.
    pub(super) fn variable(&self, name: &str) -> Option<Node> {
        self.outward().find_map(|(hops, scope)| match scope {
            Scope::Variables(names) => {
                let index = names.iter().rposition(|n| *n == name)?;
                Some(Node::Local {
                    hops,
                    index: slot(index),
                })
            }
            _ => None,
        })
    }

    /// The label of this name.
    pub(super) fn label(&self, name: &str) -> Option<Node> {
        self.outward().find_map(|(hops, scope)| match scope {
            Scope::Label(label) if *label == name => Some(Node::Break { hops }),
            _ => None,
        })
    }

    /// The parameter or local function of this name, with its frames up.
    pub(super) fn function(&self, name: &str, arity: usize) -> Option<Callee> {
        self.outward().find_map(|(hops, scope)| match scope {
            Scope::Parameters(names) if arity == 0 => {
                let index = names.iter().rposition(|n| *n == name)?;
                Some(Callee::Parameter {
                    hops,
                    index: slot(index),
                })
            }
            Scope::Function {
                name: n,
                arity: a,
                index,
            } if *n == name && *a == arity => Some(Callee::Function {
                hops,
                index: *index,
            }),
            _ => None,
        })
    }

    /// All variables that are visible, for an error message.
    pub(super) fn variables(&self, globals: &[&str]) -> String {
        let locals = self.0.iter().rev().filter_map(|scope| match scope {
            Scope::Variables(names) => Some(names.iter()),
            _ => None,
        });
        let names: Vec<String> = locals
            .flatten()
            .chain(globals)
            .map(|name| format!("${name}"))
            .collect();
        if names.is_empty() {
            "no variable exists here".into()
        } else {
            format!("these exist: {}", names.join(", "))
        }
    }
}

/// What a name without `$` may stand for.
pub(super) enum Callee {
    Parameter { hops: u32, index: u32 },
    Function { hops: u32, index: u32 },
}

/// Indexes are bounded by the length of the source.
pub(super) fn slot(index: usize) -> u32 {
    u32::try_from(index).expect("a source of 16 KiB has fewer names")
}
