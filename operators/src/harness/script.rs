//! The text of a script: header, blocks, and how to write it back with new output.

use std::fmt::Write;

use super::{Driver, Form, Header};

/// Input lines and the output lines that follow them.
#[derive(Clone, Debug)]
pub struct Block {
    /// Lines up to `---`, comments included.
    pub input: Vec<String>,
    /// Lines after it.
    pub expected: Vec<String>,
}

/// A parsed script.
#[derive(Clone, Debug)]
pub struct Script {
    head: String,
    /// What the header says.
    pub header: Header,
    /// The blocks in order.
    pub blocks: Vec<Block>,
}

impl Script {
    /// Parses the text of a script.
    ///
    /// # Panics
    /// If the header is not understood.
    pub fn parse(text: &str) -> Self {
        let mut parts = text.split("\n\n").map(str::trim).filter(|part| !part.is_empty());
        let head = parts.next().expect("a script starts with a header").to_owned();
        let blocks = parts.map(|part| {
            let mut lines = part.lines().map(str::to_owned);
            let input = lines.by_ref().take_while(|line| line != "---").collect();
            Block { input, expected: lines.collect() }
        });
        Script { header: Header::parse(&head), blocks: blocks.collect(), head }
    }

    /// Runs the script in one form; returns the output lines of each block.
    ///
    /// # Panics
    /// If the operator fails or an input line is not understood.
    pub fn run(&self, form: Form) -> Vec<Vec<String>> {
        let mut driver = Driver::new(&self.header, form);
        self.blocks.iter().map(|block| driver.run(&block.input)).collect()
    }

    /// The script with lines put between its input lines: after line `i`, counted over all blocks,
    /// those of `after(i)`.
    pub fn disturbed(&self, after: impl Fn(usize) -> Vec<String>) -> Script {
        let mut script = self.clone();
        let mut number = 0;
        for block in &mut script.blocks {
            for line in std::mem::take(&mut block.input) {
                block.input.push(line);
                block.input.extend(after(number));
                number += 1;
            }
        }
        script
    }

    /// The script's text with this output for its blocks.
    pub fn with_outputs(&self, outputs: &[Vec<String>]) -> String {
        let mut text = format!("{}\n", self.head);
        for (block, output) in self.blocks.iter().zip(outputs) {
            let lines = block.input.iter().map(String::as_str).chain(["---"]);
            text.push('\n');
            for line in lines.chain(output.iter().map(String::as_str)) {
                writeln!(text, "{line}").expect("writing to a string");
            }
        }
        text
    }
}
