"""Four routes: health, files, chat and upload."""

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSION = "0.3.0"
STARTED = time.monotonic()


def answer(method: str, path: str) -> tuple[int, dict]:
    match (method, path):
        case ("GET", "/health"):
            return 200, {"status": "ok", "uptime": round(time.monotonic() - STARTED, 1)}
        case ("GET", "/v1/admin/files"):
            return 200, {"files": []}
        case ("POST", "/v1/chat"):
            return 200, {"response": "hello"}
        case ("POST", "/v1/upload_document"):
            return 200, {"stored": True}
    return 404, {"detail": "not found"}


class Handler(BaseHTTPRequestHandler):
    def handle_method(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, body = answer(self.command, self.path)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    do_GET = do_POST = handle_method


if __name__ == "__main__":
    ThreadingHTTPServer(("", 8000), Handler).serve_forever()
