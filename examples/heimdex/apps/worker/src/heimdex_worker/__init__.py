"""Background jobs of Heimdex."""
