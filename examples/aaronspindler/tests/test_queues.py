import unittest

from config.celery import QUEUES


class QueueTest(unittest.TestCase):
    def test_default_queue_exists(self) -> None:
        self.assertIn("default", QUEUES)
