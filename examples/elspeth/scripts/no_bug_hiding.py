"""Fails when a broad `except` swallows an error."""

import ast
import sys
from pathlib import Path


def hidden(tree: ast.AST) -> list[int]:
    handlers = (node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler))
    return [h.lineno for h in handlers if h.type is None or all(isinstance(s, ast.Pass) for s in h.body)]


def main(roots: list[str]) -> int:
    found = 0
    for root in roots:
        for path in Path(root).rglob("*.py"):
            for line in hidden(ast.parse(path.read_text())):
                print(f"::error file={path},line={line}::this handler hides errors")
                found += 1
    return 1 if found else 0


sys.exit(main(sys.argv[1:]))
