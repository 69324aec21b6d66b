from src.app import answer


def test_health() -> None:
    assert answer("GET", "/health")[0] == 200


def test_unknown_route() -> None:
    assert answer("GET", "/nowhere")[0] == 404
