import json
import tempfile
import unittest
from pathlib import Path

from elspeth.cli import health, run_pipeline


class CliTest(unittest.TestCase):
    def test_health_has_five_fields(self) -> None:
        self.assertEqual(len(health()), 5)

    def test_rows_reach_the_sink(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            pipeline = Path(directory, "pipeline.json")
            pipeline.write_text(json.dumps({"source": {"rows": [1, 2]}, "sink": {"file": "out.jsonl"}}))
            self.assertEqual(run_pipeline(pipeline), 2)
