"""Starts one of the four services."""

import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from config.celery import QUEUES


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"status": "healthy", "checks": {}}')


def main(command: str) -> None:
    if command in ("runserver", "flower"):
        port = 8000 if command == "runserver" else 5555
        ThreadingHTTPServer(("", port), Handler).serve_forever()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    print(command, "ready for", ", ".join(QUEUES), flush=True)
    stop.wait()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "runserver")
