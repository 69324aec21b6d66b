"""The command line: `--version`, `health`, `run` and `serve`."""

import argparse
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from elspeth import __version__

STARTED = time.monotonic()


def health() -> dict[str, object]:
    return {
        "status": "healthy",
        "version": __version__,
        "commit": os.environ.get("ELSPETH_COMMIT", "unknown"),
        "database": "connected" if os.environ.get("DATABASE_URL") else "none",
        "uptime_seconds": int(time.monotonic() - STARTED),
    }


def run_pipeline(path: Path) -> int:
    """Copies the rows of the source to the sink and returns their number."""
    pipeline = json.loads(path.read_text())
    rows = pipeline["source"]["rows"]
    sink = path.parent / pipeline["sink"]["file"]
    sink.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return len(rows)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health" else 404)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(health()).encode())


def main() -> None:
    parser = argparse.ArgumentParser(prog="elspeth")
    version = f"elspeth {__version__} ({health()['commit']})"
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("health")
    commands.add_parser("serve")
    commands.add_parser("run").add_argument("pipeline", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "health":
        json.dump(health(), sys.stdout)
    elif arguments.command == "serve":
        ThreadingHTTPServer(("", 8080), Handler).serve_forever()
    else:
        print(run_pipeline(arguments.pipeline), "rows")
