//! Who runs it: job graph to running tasks
