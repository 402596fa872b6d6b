//! The grammar of environment markers (PEP 508).

use pep440_rs::Operator;

use crate::marker::{Comparison, Expression, MarkerOperator, Variable};

/// Parentheses deeper than this are refused, so that neither reading nor evaluating can exhaust the stack.
const MAX_DEPTH: usize = 50;

pub(crate) struct Parser<'text> {
    rest: &'text str,
    depth: usize,
}

enum Operand<'text> {
    Variable(&'text str, Variable),
    Literal(&'text str),
}

const OPERATORS: [(&str, Operator); 8] = [
    ("===", Operator::ExactEqual),
    ("==", Operator::Equal),
    ("~=", Operator::TildeEqual),
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessThanEqual),
    (">=", Operator::GreaterThanEqual),
    ("<", Operator::LessThan),
    (">", Operator::GreaterThan),
];

impl<'text> Parser<'text> {
    pub fn new(text: &'text str) -> Self {
        Self { rest: text, depth: 0 }
    }

    /// The whole text as a marker; the error is one line.
    pub fn marker(mut self) -> Result<Expression, String> {
        let expression = self.alternatives()?;
        if self.rest.is_empty() { Ok(expression) } else { Err(self.expected("'and' or 'or'")) }
    }

    /// `atom (and|or atom)*`, where `and` binds closer.
    fn alternatives(&mut self) -> Result<Expression, String> {
        let mut alternatives = Vec::new();
        let mut conjunction = vec![self.atom()?];
        loop {
            if self.take_word("and") {
                conjunction.push(self.atom()?);
            } else if self.take_word("or") {
                alternatives.push(joined(conjunction, Expression::And));
                conjunction = vec![self.atom()?];
            } else {
                alternatives.push(joined(conjunction, Expression::And));
                return Ok(joined(alternatives, Expression::Or));
            }
        }
    }

    fn atom(&mut self) -> Result<Expression, String> {
        self.skip_space();
        let expression = if let Some(inner) = self.rest.strip_prefix('(') {
            self.rest = inner;
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err(format!("marker has parentheses deeper than {MAX_DEPTH}"));
            }
            let expression = self.alternatives()?;
            self.rest = self.rest.strip_prefix(')').ok_or_else(|| self.expected("')'"))?;
            self.depth -= 1;
            expression
        } else {
            self.comparison()?
        };
        self.skip_space();
        Ok(expression)
    }

    fn comparison(&mut self) -> Result<Expression, String> {
        let left = self.operand()?;
        let operator = self.operator()?;
        let right = self.operand()?;
        Ok(Expression::Compare(match (left, right) {
            // The name of a variable on the right is but a text: so it is in the reference implementation.
            (Operand::Variable(_, variable), Operand::Literal(literal) | Operand::Variable(literal, _)) => {
                Comparison::new(variable, operator, literal, false)
            }
            (Operand::Literal(literal), Operand::Variable(_, variable)) => {
                Comparison::new(variable, operator, literal, true)
            }
            (Operand::Literal(_), Operand::Literal(_)) => {
                return Err("marker compares two texts: expected a variable on one side".to_owned());
            }
        }))
    }

    fn operand(&mut self) -> Result<Operand<'text>, String> {
        self.skip_space();
        if let Some(quote) = self.rest.chars().next().filter(|first| matches!(first, '\'' | '"')) {
            let inner = self.rest.get(1..).unwrap_or_default();
            let (literal, rest) =
                inner.split_once(quote).ok_or_else(|| format!("marker text has no closing {quote}"))?;
            self.rest = rest;
            return Ok(Operand::Literal(literal));
        }
        let end = self.rest.find(|character| !is_word(character) && character != '.').unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        let variable = Variable::from_name(name).ok_or_else(|| self.expected("a marker variable or a quoted text"))?;
        self.rest = rest;
        Ok(Operand::Variable(name, variable))
    }

    fn operator(&mut self) -> Result<MarkerOperator, String> {
        self.skip_space();
        if self.take_word("in") {
            return Ok(MarkerOperator::In);
        }
        if self.take_word("not") {
            self.skip_space();
            return if self.take_word("in") {
                Ok(MarkerOperator::NotIn)
            } else {
                Err(self.expected("'in' after 'not'"))
            };
        }
        for (text, operator) in OPERATORS {
            if let Some(rest) = self.rest.strip_prefix(text) {
                self.rest = rest;
                return Ok(MarkerOperator::Version(operator));
            }
        }
        Err(self.expected("an operator such as '>=' or 'in'"))
    }

    fn take_word(&mut self, word: &str) -> bool {
        match self.rest.strip_prefix(word) {
            Some(rest) if !rest.starts_with(is_word) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    fn expected(&self, what: &str) -> String {
        if self.rest.is_empty() {
            format!("expected {what} at the end of the marker")
        } else {
            format!("expected {what} in the marker, found '{}'", printable::shortened(self.rest, 40))
        }
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn joined(mut parts: Vec<Expression>, join: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            join(parts)
        }
        None => join(parts),
    }
}
