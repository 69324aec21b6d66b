import os
import urllib.request


def test_api_is_healthy() -> None:
    url = os.environ.get("API_URL", "http://localhost:8000") + "/healthz"
    with urllib.request.urlopen(url, timeout=5) as answer:
        assert answer.status == 200
