"""PostgreSQL and Redis, as far as the shop needs them, by their own protocols."""

import socket
import struct


class Postgres:
    """A connection without password, which asks simple queries."""

    def __init__(self, host, port, user="postgres"):
        self.stream = socket.create_connection((host, port), timeout=5).makefile("rwb")
        words = f"user\0{user}\0database\0{user}\0\0".encode()
        self.stream.write(struct.pack("!ii", len(words) + 8, 196608) + words)
        self.stream.flush()
        self._rows()

    def query(self, text):
        """The rows of an answer, each a list of texts."""
        words = text.encode() + b"\0"
        self.stream.write(b"Q" + struct.pack("!i", len(words) + 4) + words)
        self.stream.flush()
        return self._rows()

    def _rows(self):
        rows = []
        while True:
            kind = self.stream.read(1)
            body = self.stream.read(struct.unpack("!i", self.stream.read(4))[0] - 4)
            if kind == b"Z":
                return rows
            if kind == b"E":
                raise RuntimeError(body.decode(errors="replace").replace("\0", " "))
            if kind == b"D":
                rows.append(_row(body))


def _row(body):
    count, at, row = struct.unpack("!h", body[:2])[0], 2, []
    for _ in range(count):
        length = struct.unpack("!i", body[at : at + 4])[0]
        row.append(body[at + 4 : at + 4 + length].decode())
        at += 4 + length
    return row


class Redis:
    """A connection that sends one command at a time."""

    def __init__(self, host, port):
        self.stream = socket.create_connection((host, port), timeout=5).makefile("rwb")

    def ask(self, *words):
        """The answer to a command, as text."""
        text = f"*{len(words)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
        self.stream.write(text.encode())
        self.stream.flush()
        line = self.stream.readline().decode().rstrip()
        if line.startswith("$"):
            return self.stream.read(int(line[1:]) + 2)[:-2].decode()
        if line.startswith("-"):
            raise RuntimeError(line)
        return line[1:]
