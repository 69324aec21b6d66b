"""Auditable pipelines from a source to a sink."""

__version__ = "0.1.0"
