from heimdex_common.config import Config


def test_defaults() -> None:
    assert Config.from_env({}) == Config("localhost", 5432, "heimdex")


def test_environment_wins() -> None:
    assert Config.from_env({"PGHOST": "pg", "PGPORT": "6432"}).pg_port == 6432
