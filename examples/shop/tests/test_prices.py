import unittest

from shop.prices import shown, total


class Prices(unittest.TestCase):
    def test_a_basket_is_summed(self):
        self.assertEqual(total({"rope": 2, "hook": 1}, {"rope": 450, "hook": 99}), 999)

    def test_an_empty_basket_costs_nothing(self):
        self.assertEqual(total({}, {}), 0)

    def test_prices_are_shown_with_two_digits(self):
        self.assertEqual(shown(1205), "12.05 €")
