"""Waits for jobs until it is stopped."""

import signal
import threading

from heimdex_common.config import Config

stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
print("worker ready for", Config.from_env().pg_database, flush=True)
stop.wait()
