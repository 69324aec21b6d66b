"""What is there."""


class OutOfStock(Exception):
    """More was wanted than there is."""


def take(stock, article, pieces):
    """The stock after a sale."""
    left = stock.get(article, 0) - pieces
    if left < 0:
        raise OutOfStock(f"{article}: {-left} missing")
    return {**stock, article: left}
