import unittest

from app import greeting


class GreetingTest(unittest.TestCase):
    def test_names_the_service(self) -> None:
        self.assertIn(b"the-hunter-api", greeting())
