"""Settings from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Config:
    pg_host: str
    pg_port: int
    pg_database: str

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> "Config":
        return cls(
            pg_host=env.get("PGHOST", "localhost"),
            pg_port=int(env.get("PGPORT", "5432")),
            pg_database=env.get("PGDATABASE", "heimdex"),
        )
