import unittest
from pathlib import Path

VERSIONS = Path(__file__).parent.parent / "alembic" / "versions"


class MigrationTest(unittest.TestCase):
    def test_every_revision_can_be_undone(self) -> None:
        for up in VERSIONS.glob("*.up.sql"):
            self.assertTrue(up.with_name(up.name.replace(".up.", ".down.")).exists(), up.name)
