"""The HTTP interface of Heimdex."""
