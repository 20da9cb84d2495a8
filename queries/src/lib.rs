//! What a user can say: SQL text to job graph, with diagnostics
