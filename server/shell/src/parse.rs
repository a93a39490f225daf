//! The one place that calls the parser.

use brush_parser::{Parser, ParserOptions, ast};

use crate::lex::Script;

impl Script {
    /// The grammar of the commands; `None` if they do not parse.
    ///
    /// The masked text holds plain words, operators and keywords only, at most
    /// 16 levels of compound commands and 6 of `case`, so that the parser's
    /// work is linear but for a small factor. It is called without its caches,
    /// which would keep the text of commands.
    pub(crate) fn program(&self) -> Option<&ast::Program> {
        self.program
            .get_or_init(|| {
                let options = ParserOptions {
                    // Patterns never reach the parser.
                    enable_extended_globbing: false,
                    ..ParserOptions::default()
                };
                Parser::new(self.masked.as_bytes(), &options)
                    .parse_program()
                    .ok()
            })
            .as_ref()
    }
}
