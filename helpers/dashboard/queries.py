"""The questions behind each part of the page, as SQL text that DataFusion and Spark both understand."""

from __future__ import annotations

from collections.abc import Mapping

from helpers.dashboard.filters import Filters, quoted

EXAMPLES = 50
EVENTS = 500
_REVENUE = "CAST(sum(sales_value) AS DECIMAL(14, 2)) AS revenue"
_BASKETS, _PRODUCTS = "count(DISTINCT basket_id) AS baskets", "count(DISTINCT product_id) AS products"
_QUANTITY = "sum(quantity) AS quantity"
_LINE = "basket_id, product_id, quantity, sales_value, source_file"
CHOICES = (
    "SELECT department, category, price_tier, min(CAST(sold_at AS DATE)) AS first_day, "
    "max(CAST(sold_at AS DATE)) AS last_day FROM silver_sales GROUP BY department, category, price_tier"
)
FILES_READ = "SELECT DISTINCT source_file FROM bronze_transactions"


def of_sales(filters: Filters) -> Mapping[str, str]:
    """Return a query for each figure about sales; all read `silver_sales`, since the filters need its grain."""
    where = filters.of_sales()
    price = "CAST(unit_price AS DOUBLE)"
    return {
        "totals": f"SELECT count(*) AS line_items, {_REVENUE}, {_BASKETS}, {_PRODUCTS}, avg({price}) AS price, "
        f"stddev_samp({price}) AS price_deviation FROM silver_sales WHERE {where}",
        "by_day": _grouped("CAST(sold_at AS DATE)", "day", (_REVENUE, _BASKETS, _QUANTITY), where),
        "by_department": _grouped("department", "department", (_REVENUE, _BASKETS, _PRODUCTS, _QUANTITY), where),
        "by_category": f"SELECT department, category, {_REVENUE}, {_QUANTITY} FROM silver_sales WHERE {where} "
        "GROUP BY department, category",
        "by_tier": _grouped("price_tier", "price_tier", (_REVENUE, _QUANTITY, _PRODUCTS), where),
        "by_hour": _grouped("date_part('hour', sold_at)", "hour", (_REVENUE, _PRODUCTS, _BASKETS), where),
    }


def of_quality(filters: Filters) -> Mapping[str, str]:
    """Return a query for each figure about quality: line items with and without a broken rule, by their product."""
    lines = filters.of_lines()
    counted = (
        "SELECT product_id, count(*) AS records, sum(valid) AS valid_records FROM ("
        f"SELECT product_id, 1 AS valid FROM silver_transactions WHERE {lines} UNION ALL "
        f"SELECT product_id, 0 AS valid FROM silver_quarantine WHERE {lines}) AS line GROUP BY product_id"
    )
    place = "coalesce(product.department, 'UNKNOWN') AS department, coalesce(product.category, 'UNKNOWN') AS category"
    joined = "LEFT JOIN silver_products AS product ON product.product_id = line.product_id"
    here = f"{joined} WHERE {filters.of_products()}"
    broken = f"SELECT product_id, unnest(broken_rules) AS rule FROM silver_quarantine WHERE {lines}"
    rules = "array_to_string(broken_rules, ', ') AS rules"
    quarantined = f"SELECT {rules}, {_LINE} FROM silver_quarantine WHERE {lines}"
    return {
        "by_category": "SELECT department, category, sum(records) AS records, sum(valid_records) AS valid_records, "
        "CAST(sum(valid_records) AS DOUBLE) / sum(records) AS valid_share FROM ("
        f"SELECT {place}, line.records, line.valid_records FROM ({counted}) AS line {here}) AS placed "
        "GROUP BY department, category",
        "by_rule": f"SELECT line.rule, count(*) AS records FROM ({broken}) AS line {here} GROUP BY line.rule",
        "examples": f"SELECT line.* FROM ({quarantined}) AS line {here} "
        f"ORDER BY line.source_file DESC, line.basket_id, line.product_id LIMIT {EXAMPLES}",
    }


def of_events(updates: tuple[str, ...]) -> str:
    """Return the query for the newest events of these updates, from the event log registered as `event_log`."""
    return (
        "SELECT id, timestamp, level, event_type, origin['dataset_name'] AS dataset, message, "
        f"origin['update_id'] AS update_id FROM event_log WHERE {_of(updates)} "
        f"ORDER BY timestamp DESC, id LIMIT {EVENTS}"
    )


def of_counts(updates: tuple[str, ...]) -> str:
    """Return the query for what these updates counted for their expectations, when each began, and what stopped it."""
    return (
        "SELECT id, timestamp, event_type, details, error, origin['update_id'] AS update_id FROM event_log "
        f"WHERE {_of(updates)} AND (event_type = 'create_update' OR error IS NOT NULL "
        "OR details LIKE '%\"expectations\"%')"
    )


def _of(updates: tuple[str, ...]) -> str:
    return f"origin['update_id'] IN ({', '.join(map(quoted, updates))})"


def _grouped(expression: str, name: str, measures: tuple[str, ...], where: str) -> str:
    listed = ", ".join(measures)
    return f"SELECT {expression} AS {name}, {listed} FROM silver_sales WHERE {where} GROUP BY {expression}"
