"""Serves `/healthz` and `/readyz`."""

import argparse
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from heimdex_common.config import Config
from heimdex_common.probe import reachable


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        config = Config.from_env()
        ready = reachable(config.pg_host, config.pg_port)
        status = 200 if self.path == "/healthz" or (self.path == "/readyz" and ready) else 503
        body = json.dumps({"path": self.path, "database": ready}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()
    ThreadingHTTPServer(("", arguments.port), Handler).serve_forever()


main()
