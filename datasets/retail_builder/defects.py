"""Which defects are injected on which day, and what each does to a sale."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from random import Random

from retail_builder.source import Sale

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@dataclass(frozen=True)
class Rule:
    """`count` sales of the days first, first + every, ... (day 1 is 2017-01-01); `delay` in days until delivery."""

    kind: str
    count: int
    first: int
    every: int
    delay: int = 0

    def due(self, number: int, *, last: int) -> bool:
        """Say whether the rule holds on day `number`, and what it delays still arrives by day `last`."""
        return number >= self.first and (number - self.first) % self.every == 0 and number + self.delay <= last


# No duplicate_in_later_file starts on day 9: its copy would cross the day on which coupon_upc appears.
# No wrong_sales_value is corrected within the first seven days: the correction arrives when the reader knows the data.
RULES = (
    Rule("missing_household_id", count=2, first=1, every=2),
    Rule("missing_product_id", count=2, first=2, every=2),
    Rule("quantity_as_word", count=1, first=2, every=3),
    Rule("sales_value_not_a_number", count=1, first=3, every=3),
    Rule("negative_sales_value", count=2, first=3, every=4),
    Rule("negative_quantity", count=1, first=5, every=4),
    Rule("damaged_line", count=1, first=4, every=7),
    Rule("duplicate_in_file", count=3, first=1, every=1),
    Rule("duplicate_in_later_file", count=4, first=2, every=2, delay=1),
    Rule("late_record", count=3, first=4, every=3, delay=2),
    Rule("wrong_sales_value", count=2, first=6, every=3, delay=2),
)

CHANGES: Mapping[str, Callable[[Sale], Sale]] = {
    "missing_household_id": lambda sale: sale._replace(household_id=None),
    "missing_product_id": lambda sale: sale._replace(product_id=None),
    "quantity_as_word": lambda sale: sale._replace(quantity=WORDS[sale.quantity]),
    "sales_value_not_a_number": lambda sale: sale._replace(sales_value="n/a"),
    "negative_sales_value": lambda sale: sale._replace(sales_value=-sale.sales_value),
    "negative_quantity": lambda sale: sale._replace(quantity=-sale.quantity),
    # The decimal point has slipped: 2.49 becomes 24.90.
    "wrong_sales_value": lambda sale: sale._replace(sales_value=round(sale.sales_value * 10, 2)),
}


def is_ordinary(sale: Sale, *, with_category: frozenset[int]) -> bool:
    """Say whether a sale has no defect of its own, so that injected and real defects never meet."""
    return (
        1 <= sale.quantity <= 9
        and sale.sales_value > 0
        and sale.coupon_upc is None
        and sale.product_id in with_category
    )


def choose(rules: Iterable[Rule], candidates: list[tuple[int, Sale]], *, rng: Random) -> dict[int, Rule]:
    """Give each rule its sales: no sale twice, and no basket twice on a day, so that a basket keeps a key."""
    order = rng.sample(candidates, len(candidates))
    baskets: set[int] = set()
    once = [(index, sale) for index, sale in order if not (sale.basket_id in baskets or baskets.add(sale.basket_id))]
    wanted = [rule for rule in rules for _ in range(rule.count)]
    return {index: rule for rule, (index, _) in zip(wanted, once, strict=False)}
