"""Silver, the streaming part: rows that keep every rule go on, the others wait in quarantine with what they broke."""

from pyspark import pipelines as dp
from pyspark.sql import functions as F

# TODO: Write the other three rules of a good line, each as "name": "condition in SQL". A NULL must break a rule too.
#   product_known: product_id is there
#   positive_quantity: quantity is above 0
#   sales_not_negative: sales_value is 0 or more
RULES = {
    "household_known": "household_id IS NOT NULL",
    # BEGIN SOLUTION
    "product_known": "product_id IS NOT NULL",
    "positive_quantity": "quantity IS NOT NULL AND quantity > 0",
    "sales_not_negative": "sales_value IS NOT NULL AND sales_value >= 0",
    # END SOLUTION
}


def transactions():
    return spark.readStream.table("bronze_transactions")  # noqa: F821 - Databricks gives every source file `spark`


@dp.table(comment="Line items that keep every rule")
@dp.expect_all_or_drop(RULES)
@dp.expect("discount_not_negative", "retail_disc IS NOT NULL AND retail_disc >= 0")
def silver_transactions():
    return transactions().select(
        "household_id", "store_id", "basket_id", "product_id", "quantity", "sales_value", "retail_disc",
        "coupon_disc", "coupon_match_disc", "transaction_timestamp", "source_file",
    )


@dp.table(comment="Line items that break a rule, and which")
def silver_quarantine():
    broken = [F.when(~F.coalesce(F.expr(rule), F.lit(False)), F.lit(name)) for name, rule in RULES.items()]
    return (
        transactions()
        .withColumn("broken_rules", F.array_compact(F.array(*broken)))
        .filter("size(broken_rules) > 0")
        .select("basket_id", "product_id", "quantity", "sales_value", "_rescued_data", "source_file", "broken_rules")
    )
