//! Environment markers (PEP 508): conditions on the machine and Python under which a dependency counts.
//!
//! Evaluates as the reference implementation does, including what the specification leaves open: versions are compared
//! where both sides are versions, and other texts are only equal or not. A marker is kept as it was written and never
//! put in a normal form, whose size a hostile author could make exponential.

mod parser;

use std::str::FromStr;

use pep440_rs::{Operator, Version};

use crate::marker_environment::MarkerEnvironment;
use crate::names::ExtraName;
use crate::specifiers::VersionSpecifier;
use parser::Parser;

/// A parsed environment marker.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Marker(pub(crate) Expression);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Expression {
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Compare(Comparison),
}

/// `variable operator "literal"`, or the reverse.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Comparison {
    variable: Variable,
    operator: MarkerOperator,
    literal: String,
    /// Whether the literal stands on the left.
    reversed: bool,
    /// Operator and literal as a version specifier, if the variable is a version and this is one.
    specifier: Option<VersionSpecifier>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Variable {
    ImplementationName,
    ImplementationVersion,
    OsName,
    PlatformMachine,
    PlatformPythonImplementation,
    PlatformRelease,
    PlatformSystem,
    PlatformVersion,
    PythonFullVersion,
    PythonVersion,
    SysPlatform,
    Extra,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum MarkerOperator {
    Version(Operator),
    In,
    NotIn,
}

impl Marker {
    /// The marker which always holds: that of a requirement without one.
    pub const TRUE: Self = Self(Expression::And(Vec::new()));

    /// Whether this is the marker of a requirement that has none.
    pub fn is_true(&self) -> bool {
        *self == Self::TRUE
    }

    /// Whether the marker holds in `environment` for at least one of `extras`, or without any when there are none.
    pub fn evaluate(&self, environment: &MarkerEnvironment, extras: &[ExtraName]) -> bool {
        if extras.is_empty() {
            return self.0.holds(environment, "");
        }
        extras.iter().any(|extra| self.0.holds(environment, extra.as_ref()))
    }
}

impl FromStr for Marker {
    type Err = String;

    /// The error is one line.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Parser::new(text).marker().map(Self)
    }
}

impl Expression {
    /// Depth is limited by the parser.
    fn holds(&self, environment: &MarkerEnvironment, extra: &str) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.holds(environment, extra)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(environment, extra)),
            Self::Compare(comparison) => comparison.holds(comparison.variable.value(environment, extra)),
        }
    }
}

impl Comparison {
    pub fn new(variable: Variable, operator: MarkerOperator, literal: &str, reversed: bool) -> Self {
        // PEP 685: names of extras are compared in normal form.
        let literal = if variable == Variable::Extra { normalized_extra(literal) } else { literal.to_owned() };
        let specifier = if reversed { None } else { variable.specifier(operator, &literal) };
        Self { variable, operator, literal, reversed, specifier }
    }

    fn holds(&self, value: &str) -> bool {
        if self.reversed {
            return match self.variable.specifier(self.operator, value) {
                Some(specifier) => contains(&specifier, &self.literal),
                None => compare_texts(&self.literal, self.operator, value),
            };
        }
        match &self.specifier {
            Some(specifier) => contains(specifier, value),
            None => compare_texts(value, self.operator, &self.literal),
        }
    }
}

impl Variable {
    /// The variable with this name; old ones have dots.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "implementation_name" => Self::ImplementationName,
            "implementation_version" => Self::ImplementationVersion,
            "os_name" | "os.name" => Self::OsName,
            "platform_machine" | "platform.machine" => Self::PlatformMachine,
            "platform_python_implementation" | "platform.python_implementation" | "python_implementation" => {
                Self::PlatformPythonImplementation
            }
            "platform_release" => Self::PlatformRelease,
            "platform_system" => Self::PlatformSystem,
            "platform_version" | "platform.version" => Self::PlatformVersion,
            "python_full_version" => Self::PythonFullVersion,
            "python_version" => Self::PythonVersion,
            "sys_platform" | "sys.platform" => Self::SysPlatform,
            "extra" => Self::Extra,
            _ => return None,
        })
    }

    fn value<'value>(self, environment: &'value MarkerEnvironment, extra: &'value str) -> &'value str {
        match self {
            Self::ImplementationName => environment.implementation_name(),
            Self::ImplementationVersion => environment.implementation_version(),
            Self::OsName => environment.os_name(),
            Self::PlatformMachine => environment.platform_machine(),
            Self::PlatformPythonImplementation => environment.platform_python_implementation(),
            Self::PlatformRelease => environment.platform_release(),
            Self::PlatformSystem => environment.platform_system(),
            Self::PlatformVersion => environment.platform_version(),
            Self::PythonFullVersion => environment.python_full_version(),
            Self::PythonVersion => environment.python_version(),
            Self::SysPlatform => environment.sys_platform(),
            Self::Extra => extra,
        }
    }

    fn specifier(self, operator: MarkerOperator, text: &str) -> Option<VersionSpecifier> {
        let MarkerOperator::Version(operator) = operator else { return None };
        let is_version = matches!(
            self,
            Self::ImplementationVersion | Self::PlatformRelease | Self::PythonFullVersion | Self::PythonVersion
        );
        if is_version { format!("{operator}{text}").parse().ok() } else { None }
    }
}

/// What is no version satisfies no version specifier.
fn contains(specifier: &VersionSpecifier, text: &str) -> bool {
    text.parse::<Version>().is_ok_and(|version| specifier.contains(&version))
}

/// Texts have no order.
fn compare_texts(left: &str, operator: MarkerOperator, right: &str) -> bool {
    match operator {
        MarkerOperator::In => right.contains(left),
        MarkerOperator::NotIn => !right.contains(left),
        MarkerOperator::Version(Operator::Equal | Operator::LessThanEqual | Operator::GreaterThanEqual) => {
            left == right
        }
        MarkerOperator::Version(Operator::NotEqual) => left != right,
        MarkerOperator::Version(_) => false,
    }
}

fn normalized_extra(text: &str) -> String {
    match text.parse::<ExtraName>() {
        Ok(extra) => extra.to_string(),
        Err(_) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        text.parse::<Marker>().expect_err(text)
    }

    #[test]
    fn what_is_no_marker_is_told_in_one_line() {
        assert_eq!(error("os_name"), "expected an operator such as '>=' or 'in' at the end of the marker");
        assert!(error("os_name == 'a' os_name").starts_with("expected 'and' or 'or' in the marker"));
        assert!(error("os_name == 'a").contains("no closing '"));
        assert!(error("'a' == 'a'").contains("two texts"));
        assert!(error("colour == 'a'").contains("expected a marker variable"));
        assert!(error("os_name not 'a'").contains("'in' after 'not'"));
        assert!(error("\n\u{1b}[31m").contains("\\u{a}\\u{1b}[31m"), "control characters are escaped");
    }

    #[test]
    fn hostile_markers_are_refused_or_read_in_linear_time() {
        let nested = |depth: usize| format!("{}os_name == 'a'{}", "(".repeat(depth), ")".repeat(depth));
        assert!(nested(50).parse::<Marker>().is_ok());
        assert!(error(&nested(51)).contains("deeper than 50"));
        assert!(error(&"(".repeat(1_000_000)).contains("deeper than 50"));
        let long = vec!["os_name == 'a'"; 50_000].join(" or ");
        assert!(long.parse::<Marker>().is_ok());
        for text in ["", "(", ")", "and", "not", "''", "\"", "\0", "os_name\u{a0}== 'a'", "é == 'a'"] {
            error(text);
        }
    }
}
