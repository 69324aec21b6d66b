"""Says where lines are too long, in a way that lands beside the line."""

import pathlib
import sys

LONGEST = 100


def main(directories):
    found = 0
    files = [file for directory in directories for file in pathlib.Path(directory).rglob("*.py")]
    for file in sorted(files):
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if len(line) > LONGEST:
                place = f"file={file},line={number},title=line-length"
                print(f"::error {place}::{len(line)} characters")
                found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
