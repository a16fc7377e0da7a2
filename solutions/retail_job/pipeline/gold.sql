-- Gold: what the business asks for. Revenue is in US dollars.

CREATE OR REFRESH MATERIALIZED VIEW gold_revenue_by_department
COMMENT 'Revenue by department'
AS SELECT
  department,
  CAST(sum(sales_value) AS DECIMAL(14, 2)) AS revenue,
  count(DISTINCT basket_id) AS baskets,
  count(DISTINCT product_id) AS products,
  sum(quantity) AS quantity
FROM silver_sales
GROUP BY department;

CREATE OR REFRESH MATERIALIZED VIEW gold_revenue_by_category
COMMENT 'Revenue by department and category'
AS SELECT
  department,
  category,
  CAST(sum(sales_value) AS DECIMAL(14, 2)) AS revenue,
  sum(quantity) AS quantity
FROM silver_sales
GROUP BY department, category;

-- TODO: Define the materialized view gold_revenue_by_price_tier from silver_sales: price_tier, revenue, quantity (the
-- sum), products (how many different ones).
-- BEGIN SOLUTION
CREATE OR REFRESH MATERIALIZED VIEW gold_revenue_by_price_tier
COMMENT 'Revenue by price of one piece: budget below 2, standard below 5, premium from 5 dollars'
AS SELECT
  price_tier,
  CAST(sum(sales_value) AS DECIMAL(14, 2)) AS revenue,
  sum(quantity) AS quantity,
  count(DISTINCT product_id) AS products
FROM silver_sales
GROUP BY price_tier;
-- END SOLUTION

CREATE OR REFRESH MATERIALIZED VIEW gold_revenue_by_day
COMMENT 'Revenue by day of sale, in the shops'' time'
AS SELECT
  CAST(sold_at AS DATE) AS day,
  CAST(sum(sales_value) AS DECIMAL(14, 2)) AS revenue,
  count(DISTINCT basket_id) AS baskets,
  sum(quantity) AS quantity
FROM silver_sales
GROUP BY CAST(sold_at AS DATE);

CREATE OR REFRESH MATERIALIZED VIEW gold_revenue_by_hour
COMMENT 'Revenue by hour of the day, 0 to 23, in the shops'' time'
AS SELECT
  hour(sold_at) AS hour,
  CAST(sum(sales_value) AS DECIMAL(14, 2)) AS revenue,
  count(DISTINCT product_id) AS products,
  count(DISTINCT basket_id) AS baskets
FROM silver_sales
GROUP BY hour(sold_at);

CREATE OR REFRESH MATERIALIZED VIEW gold_revenue_by_income
COMMENT 'Revenue by the income of the household that bought'
AS SELECT
  coalesce(household.income, 'not told') AS income,
  CAST(sum(sale.sales_value) AS DECIMAL(14, 2)) AS revenue,
  count(DISTINCT sale.household_id) AS households
FROM silver_sales AS sale
LEFT JOIN silver_households AS household ON household.household_id = sale.household_id
GROUP BY coalesce(household.income, 'not told');

CREATE OR REFRESH MATERIALIZED VIEW gold_quality_by_category
COMMENT 'Share of line items that keep every rule, by category'
AS SELECT
  coalesce(product.department, 'UNKNOWN') AS department,
  coalesce(product.category, 'UNKNOWN') AS category,
  count(*) AS records,
  count_if(line.valid) AS valid_records,
  CAST(count_if(line.valid) / count(*) AS DECIMAL(5, 4)) AS valid_share
FROM (
  SELECT product_id, true AS valid FROM silver_transactions
  UNION ALL
  SELECT product_id, false AS valid FROM silver_quarantine
) AS line
LEFT JOIN silver_products AS product ON product.product_id = line.product_id
GROUP BY coalesce(product.department, 'UNKNOWN'), coalesce(product.category, 'UNKNOWN');
