"""The job board's API."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def greeting() -> bytes:
    return b'{"service": "the-hunter-api"}'


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(greeting())


if __name__ == "__main__":
    ThreadingHTTPServer(("", 8000), Handler).serve_forever()
