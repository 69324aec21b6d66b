"""A stand-in for Alembic: `upgrade head` needs a database that answers."""

import sys

from heimdex_common.config import Config
from heimdex_common.probe import reachable

REVISIONS = ["0001_videos", "0002_scenes"]


def main(arguments: list[str]) -> int:
    config = Config.from_env()
    if arguments != ["upgrade", "head"]:
        print("usage: migrate upgrade head", file=sys.stderr)
        return 2
    if not reachable(config.pg_host, config.pg_port):
        print(f"cannot connect to database at {config.pg_host}:{config.pg_port}", file=sys.stderr)
        return 1
    for revision in REVISIONS:
        print("upgraded to", revision)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
