//! The words of a statement, with their places in bytes, and what can be said about them before
//! anything is parsed: brackets without partner, spellings of other dialects, too much of anything.

use datafusion_sql::sqlparser::dialect::Dialect;
use datafusion_sql::sqlparser::keywords::Keyword;
use datafusion_sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer, Whitespace};

use super::span;
use crate::codes;
use crate::diagnostic::{Diagnostic, Span};

/// Brackets inside brackets, at most. sqlparser bounds its own recursion, but not everywhere.
const MAX_BRACKETS: usize = 100;
/// Operators in a row without a bracket, comma or clause between them. A chain becomes a tree as
/// deep as it is long, and planning walks trees by recursion.
const MAX_CHAIN: usize = 1_000;
/// Parts of a name with dots, and subscripts one behind the other; sqlparser's tries double with
/// each.
const MAX_DOTS: usize = 16;

/// The words of a statement, and the hints between them.
#[derive(Debug)]
pub(super) struct Words {
    /// Without blanks and comments; places as in `span.rs`.
    pub(super) tokens: Vec<TokenWithSpan>,
    /// Each `/*+ … */`, and where the word before it ends.
    pub(super) hints: Vec<(Span, usize)>,
}

/// Cuts a statement, given by its span in the whole text, into words.
pub(super) fn tokenize(
    text: &str,
    statement: &Span,
    dialect: &dyn Dialect,
) -> Result<Words, Box<Diagnostic>> {
    let own = &text[statement.clone()];
    let mut places = Places { text: own, offset: statement.start, byte: 0, line: 1, column: 1 };
    let raw = Tokenizer::new(dialect, own).tokenize_with_location().map_err(|error| {
        let at = places.byte_of(error.location);
        let next = text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
        let message = format!("the text cannot be read here: {}", lower_first(&error.message));
        Box::new(Diagnostic::error(codes::UNREADABLE, message).at(at..next))
    })?;
    let mut words = Words { tokens: Vec::with_capacity(raw.len()), hints: Vec::new() };
    for token in raw {
        let start = places.byte_of(token.span.start);
        let end = places.byte_of(token.span.end);
        match token.token {
            Token::Whitespace(Whitespace::MultiLineComment(text)) if text.starts_with('+') => {
                let after = words.tokens.last().map_or(0, |word| place(word).end);
                words.hints.push((start..end, after));
            }
            Token::Whitespace(_) => {}
            token => words.tokens.push(TokenWithSpan::new(token, span::to_sql(&(start..end)))),
        }
    }
    Ok(words)
}

/// Turns the tokenizer's lines and columns, which only go up, into bytes.
struct Places<'a> {
    text: &'a str,
    /// Where the text begins in the whole source.
    offset: usize,
    byte: usize,
    line: u64,
    column: u64,
}

impl Places<'_> {
    fn byte_of(&mut self, location: Location) -> usize {
        while (self.line, self.column) < (location.line, location.column) {
            let Some(char) = self.text[self.byte..].chars().next() else { break };
            self.byte += char.len_utf8();
            if char == '\n' {
                (self.line, self.column) = (self.line + 1, 1);
            } else {
                self.column += 1;
            }
        }
        self.offset + self.byte
    }
}

fn lower_first(message: &str) -> String {
    let mut chars = message.chars();
    chars.next().map_or_else(String::new, |c| c.to_lowercase().chain(chars).collect())
}

/// What is wrong with the words whatever they mean. If there is anything, parsing would only
/// repeat it in other words.
pub(super) fn check(tokens: &[TokenWithSpan]) -> Vec<Diagnostic> {
    let mut found = brackets(tokens);
    found.extend(foreign(tokens));
    if found.is_empty() {
        found.extend(too_much(tokens));
        found.extend(trailing_commas(tokens));
    }
    found
}

/// The bytes of a token.
pub(super) fn place(token: &TokenWithSpan) -> Span {
    span::bytes(token.span).unwrap_or(0..0)
}

fn brackets(tokens: &[TokenWithSpan]) -> Vec<Diagnostic> {
    let mut open: Vec<&TokenWithSpan> = Vec::new();
    for token in tokens {
        let partner = match token.token {
            Token::LParen | Token::LBracket | Token::LBrace => {
                if open.len() == MAX_BRACKETS {
                    let message = format!("brackets are nested more than {MAX_BRACKETS} deep");
                    return vec![problem(codes::TOO_COMPLEX, message, token)];
                }
                open.push(token);
                continue;
            }
            Token::RParen => Token::LParen,
            Token::RBracket => Token::LBracket,
            Token::RBrace => Token::LBrace,
            _ => continue,
        };
        match open.pop() {
            Some(opening) if opening.token == partner => {}
            Some(opening) => {
                let message = format!("`{}` is closed by `{}`", opening.token, token.token);
                let hint = format!("the bracket was opened as `{}`", opening.token);
                return vec![problem(codes::UNMATCHED_BRACKET, message, token).hint(hint)];
            }
            None => {
                let message = format!("`{}` closes nothing", token.token);
                let hint = "remove it, or add the bracket that it should close";
                return vec![problem(codes::UNMATCHED_BRACKET, message, token).hint(hint)];
            }
        }
    }
    let unclosed = |opening: &&TokenWithSpan| {
        let message = format!("`{}` is never closed", opening.token);
        let close = if opening.token == Token::LParen { ")" } else { "]" };
        problem(codes::UNMATCHED_BRACKET, message, opening)
            .label("opened here")
            .hint(format!("add `{close}` where it ends"))
    };
    // The innermost is the one that is missing its partner, or closest to it.
    open.last().map(unclosed).into_iter().collect()
}

/// Spellings that belong to other dialects.
fn foreign(tokens: &[TokenWithSpan]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    // Patterns of rows have a `?` of their own.
    let has_pattern = tokens.iter().any(|t| keyword(&t.token) == "MATCH_RECOGNIZE");
    let is_query = tokens.iter().any(|t| keyword(&t.token) == "SELECT");
    for (index, token) in tokens.iter().enumerate() {
        let before = index.checked_sub(1).map(|i| &tokens[i].token);
        let (what, hint) = match &token.token {
            // "OFFSET" => … is how Flink's documentation writes that argument.
            Token::DoubleQuotedString(text) if !is(tokens.get(index + 1), &Token::RArrow) => {
                let hint = format!("'{text}' is a string, `{text}` a name");
                let message = "double quotes are not used in Flink SQL";
                found.push(problem(codes::DOUBLE_QUOTES, message, token).hint(hint));
                continue;
            }
            Token::DoubleEq => ("`==` does not exist", "write `=`"),
            Token::Overlap => ("`&&` does not exist", "write AND"),
            Token::Assignment => ("`:=` does not exist", "write `=`, or `=>` for arguments"),
            Token::SingleQuotedString(text) if is_query && is_named_before(before) => {
                let message = "a name is not written in single quotes";
                let hint = format!("write `{text}` with backquotes");
                found.push(problem(codes::SYNTAX, message, token).hint(hint));
                continue;
            }
            // sqlparser takes `x NOT NULL` for a condition.
            Token::Word(word)
                if is_query
                    && word.keyword == Keyword::NULL
                    && before.is_some_and(|before| keyword(before) == "NOT")
                    && is_plain_name(tokens, index.checked_sub(2)) =>
            {
                ("`x NOT NULL` is no condition", "write IS NOT NULL")
            }
            Token::Placeholder(_) if !has_pattern => {
                ("placeholders do not exist", "a variable of the environment is '${NAME}'")
            }
            Token::Tilde | Token::TildeAsterisk | Token::ExclamationMarkTilde => {
                ("`~` does not exist", "write REGEXP(text, 'pattern')")
            }
            Token::ExclamationMark if before == Some(&Token::Eq) => {
                ("`=!` does not exist", "not equal is `<>`")
            }
            Token::Sharp => ("`#` begins no comment", "write `-- comment` or `/* comment */`"),
            Token::DuckIntDiv => {
                ("`//` begins no comment", "write `-- comment` or `/* comment */`")
            }
            Token::Div if before == Some(&Token::Div) => {
                ("`//` begins no comment", "write `-- comment` or `/* comment */`")
            }
            Token::Char('‘' | '’' | '“' | '”' | '´') => {
                // One of a pair is enough.
                if before.is_some_and(is_curly) {
                    continue;
                }
                ("curly quotes do not exist", "write straight ones: 'text'")
            }
            Token::DollarQuotedString(_) => {
                ("strings in dollars do not exist", "strings stand in single quotes")
            }
            _ => continue,
        };
        let message = format!("{what} in Flink SQL");
        found.push(problem(codes::FOREIGN_SYNTAX, message, token).hint(hint));
    }
    found
}

/// True if there is a word at this place that is no keyword.
fn is_plain_name(tokens: &[TokenWithSpan], index: Option<usize>) -> bool {
    index.and_then(|index| tokens.get(index)).is_some_and(
        |token| matches!(&token.token, Token::Word(word) if word.keyword == Keyword::NoKeyword),
    )
}

fn is_curly(token: &Token) -> bool {
    matches!(token, Token::Char('‘' | '’' | '“' | '”' | '´') | Token::Word(_))
}

/// True if a string behind this token can only be meant as an alias, which sqlparser would take.
fn is_named_before(token: Option<&Token>) -> bool {
    match token {
        Some(Token::RParen) => true,
        Some(Token::Word(word)) => matches!(word.keyword, Keyword::NoKeyword | Keyword::AS),
        _ => false,
    }
}

/// Chains that become trees too deep for recursion.
fn too_much(tokens: &[TokenWithSpan]) -> Option<Diagnostic> {
    // Operators of the chain that is going on, for each open bracket.
    let mut chains = vec![0_usize];
    let (mut dots, mut subscripts, mut arrays, mut relations) = (0, 0, 0, 0);
    for (index, token) in tokens.iter().enumerate() {
        let word = keyword(&token.token);
        dots = match token.token {
            Token::Period => dots + 1,
            Token::Word(_) => dots,
            _ => 0,
        };
        subscripts = match token.token {
            Token::RBracket if is(tokens.get(index + 1), &Token::LBracket) => subscripts + 1,
            Token::RBracket => 0,
            _ => subscripts,
        };
        arrays = match token.token {
            Token::Lt if index > 0 && keyword(&tokens[index - 1].token) == "ARRAY" => arrays + 1,
            _ if word == "ARRAY" => arrays,
            _ => 0,
        };
        if matches!(word.as_str(), "UNION" | "EXCEPT" | "INTERSECT" | "JOIN") {
            relations += 1;
        }
        match token.token {
            Token::LParen | Token::LBracket => chains.push(0),
            Token::RParen | Token::RBracket if chains.len() > 1 => {
                chains.pop();
            }
            Token::Comma => set_last(&mut chains, 0),
            _ if STARTS_CHAIN.contains(&word.as_str()) => set_last(&mut chains, 0),
            _ if is_operator(&token.token, &word) => {
                let length = chains.last().map_or(1, |length| length + 1);
                set_last(&mut chains, length);
            }
            _ => {}
        }
        let chain = chains.last().copied().unwrap_or(0);
        let what = if chain > MAX_CHAIN || relations > MAX_CHAIN / 2 {
            "a chain of operators is too long"
        } else if dots > MAX_DOTS || subscripts > MAX_DOTS {
            "a name has too many parts"
        } else if arrays > MAX_DOTS {
            "types are nested too deeply"
        } else {
            continue;
        };
        let diagnostic = problem(codes::TOO_COMPLEX, what, token);
        return Some(diagnostic.hint("write long chains of OR as IN (…), or use views"));
    }
    None
}

/// Words behind which a new expression begins.
const STARTS_CHAIN: &[&str] = &[
    "SELECT", "FROM", "WHERE", "GROUP", "HAVING", "ON", "WHEN", "THEN", "ELSE", "END", "UNION",
    "ORDER", "AS",
];

fn set_last(chains: &mut [usize], length: usize) {
    if let Some(last) = chains.last_mut() {
        *last = length;
    }
}

fn is_operator(token: &Token, word: &str) -> bool {
    matches!(
        token,
        Token::Plus
            | Token::Minus
            | Token::Mul
            | Token::Div
            | Token::Mod
            | Token::StringConcat
            | Token::DoubleColon
            | Token::Eq
            | Token::Neq
            | Token::Lt
            | Token::LtEq
            | Token::Gt
            | Token::GtEq
            | Token::Ampersand
            | Token::Pipe
            | Token::Caret
    ) || matches!(word, "AND" | "OR" | "XOR" | "NOT" | "IS" | "LIKE" | "BETWEEN" | "IN")
}

/// A comma before a word or bracket that ends the list.
fn trailing_commas(tokens: &[TokenWithSpan]) -> Vec<Diagnostic> {
    let is_end = |token: Option<&TokenWithSpan>| match token.map(|t| &t.token) {
        None | Some(Token::RParen | Token::RBracket) => true,
        Some(token) => {
            matches!(keyword(token).as_str(), "FROM" | "WHERE" | "GROUP" | "HAVING" | "ORDER")
        }
    };
    tokens
        .iter()
        .enumerate()
        .filter(|(index, token)| token.token == Token::Comma && is_end(tokens.get(index + 1)))
        .map(|(_, token)| {
            problem(codes::TRAILING_COMMA, "a comma with nothing behind it", token)
                .hint("remove the comma")
        })
        .collect()
}

/// The word in capitals if it is not quoted; empty for anything else.
pub(super) fn keyword(token: &Token) -> String {
    match token {
        Token::Word(word) if word.quote_style.is_none() => word.value.to_uppercase(),
        _ => String::new(),
    }
}

/// True if there is a token and it is this one.
fn is(token: Option<&TokenWithSpan>, expected: &Token) -> bool {
    token.is_some_and(|t| t.token == *expected)
}

fn problem(
    code: crate::diagnostic::Code,
    message: impl Into<String>,
    token: &TokenWithSpan,
) -> Diagnostic {
    Diagnostic::error(code, message).at(place(token))
}
