//! What steps say to the runner: workflow commands in their output, and problem matchers that read it.
