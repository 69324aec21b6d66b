"""Answers the heartbeat of ChromaDB."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/api/v1/heartbeat" else 404)
        self.end_headers()
        self.wfile.write(b'{"nanosecond heartbeat": 1}')


ThreadingHTTPServer(("", 8000), Handler).serve_forever()
