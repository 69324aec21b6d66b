"""Prices in cents, so that sums are exact."""


def total(basket, prices):
    """What a basket costs: article to number of pieces, and article to price."""
    return sum(prices[article] * pieces for article, pieces in basket.items())


def shown(cents):
    """A price as people read it."""
    return f"{cents // 100}.{cents % 100:02d} €"
