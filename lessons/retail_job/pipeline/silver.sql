-- Silver: the newest truth about products, households and sales.

CREATE OR REFRESH MATERIALIZED VIEW silver_products (
  CONSTRAINT has_category EXPECT (category <> 'UNKNOWN')
)
COMMENT 'One row a product: its newest catalogue entry'
AS SELECT
  product_id,
  coalesce(department, 'UNKNOWN') AS department,
  coalesce(product_category, 'UNKNOWN') AS category,
  brand,
  package_size
FROM bronze_products
WHERE product_id IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY product_id ORDER BY source_file DESC) = 1;

CREATE OR REFRESH MATERIALIZED VIEW silver_households
COMMENT 'One row a household: its newest facts, by sequence number and not by arrival'
AS SELECT household_id, age, income, home_ownership, household_size, kids_count
FROM (
  SELECT *
  FROM bronze_households
  WHERE household_id IS NOT NULL
  QUALIFY row_number() OVER (PARTITION BY household_id ORDER BY sequence_number DESC) = 1
)
WHERE operation <> 'DELETE';

CREATE OR REFRESH MATERIALIZED VIEW silver_sales (
  CONSTRAINT priced EXPECT (unit_price IS NOT NULL) ON VIOLATION FAIL UPDATE,
  CONSTRAINT in_catalogue EXPECT (department <> 'UNKNOWN')
)
COMMENT 'One row a line item: copies removed, corrections applied, with its product and price tier'
AS SELECT
  sale.household_id,
  sale.basket_id,
  sale.product_id,
  sale.quantity,
  sale.sales_value,
  -- Receipts carry UTC; the shops are in New York's time zone.
  from_utc_timestamp(sale.transaction_timestamp, 'America/New_York') AS sold_at,
  coalesce(product.department, 'UNKNOWN') AS department,
  coalesce(product.category, 'UNKNOWN') AS category,
  CAST(sale.sales_value / sale.quantity AS DECIMAL(10, 2)) AS unit_price,
  CASE
    WHEN sale.sales_value / sale.quantity < 2 THEN 'budget'
    WHEN sale.sales_value / sale.quantity < 5 THEN 'standard'
    ELSE 'premium'
  END AS price_tier
FROM (
  SELECT *
  FROM silver_transactions
  -- TODO: Keep one line for each basket and product: the one of the newest file.
) AS sale
LEFT JOIN silver_products AS product ON product.product_id = sale.product_id;
