"""Sells something with real servers."""

import os
from urllib.parse import urlparse

from shop.prices import shown, total
from shop.stock import take
from shop.store import Postgres, Redis


def main():
    database, cache = urlparse(os.environ["DATABASE"]), urlparse(os.environ["CACHE"])
    postgres = Postgres(database.hostname, database.port)
    redis = Redis(cache.hostname, cache.port)
    postgres.query("create table stock (article text primary key, pieces int)")
    postgres.query("insert into stock values ('rope', 3), ('hook', 10)")
    redis.ask("SET", "price:rope", "450")

    price = int(redis.ask("GET", "price:rope"))
    stock = {article: int(pieces) for article, pieces in postgres.query("select * from stock")}
    left = take(stock, "rope", 2)["rope"]
    postgres.query(f"update stock set pieces = {left} where article = 'rope'")

    assert postgres.query("select pieces from stock where article = 'rope'") == [["1"]]
    version = postgres.query("show server_version")[0][0]
    print(f"sold 2 ropes for {shown(total({'rope': 2}, {'rope': price}))}, {left} left")
    print(f"::notice title=servers::PostgreSQL {version.split()[0]}, Redis {redis.ask('PING')}")


if __name__ == "__main__":
    main()
