"""Queues of the workers."""

QUEUES = ["default", "photos"]
