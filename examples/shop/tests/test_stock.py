import unittest

from shop.stock import OutOfStock, take


class Stock(unittest.TestCase):
    def test_a_sale_leaves_less(self):
        self.assertEqual(take({"rope": 3}, "rope", 2), {"rope": 1})

    def test_nobody_sells_what_is_not_there(self):
        with self.assertRaises(OutOfStock):
            take({"rope": 1}, "rope", 2)
