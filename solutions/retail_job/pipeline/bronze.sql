-- Bronze: every file as it arrived, with the file that it came from. Nothing is thrown away here.
-- ${landing} is the volume (or folder) that the stores' files arrive in.

-- TODO: Define the streaming table bronze_transactions: the JSON files of the folder transactions, with every column
-- and source_file. Its two neighbours below show how.
--   types: BIGINT for household_id, store_id, basket_id and product_id; INT for quantity and week; DECIMAL(10,2) for
--     sales_value, retail_disc, coupon_disc and coupon_match_disc; TIMESTAMP for transaction_timestamp
--   rule: readable, which only warns: nothing had to be rescued, so _rescued_data is NULL
-- BEGIN SOLUTION
CREATE OR REFRESH STREAMING TABLE bronze_transactions (
  CONSTRAINT readable EXPECT (_rescued_data IS NULL)
)
COMMENT 'Line items of baskets, one JSON file a day'
AS SELECT
  *,
  _metadata.file_name AS source_file
FROM STREAM read_files(
  '${landing}/transactions',
  format => 'json',
  schemaHints => 'household_id BIGINT, store_id BIGINT, basket_id BIGINT, product_id BIGINT, quantity INT,
    sales_value DECIMAL(10,2), retail_disc DECIMAL(10,2), coupon_disc DECIMAL(10,2),
    coupon_match_disc DECIMAL(10,2), week INT, transaction_timestamp TIMESTAMP'
);
-- END SOLUTION

CREATE OR REFRESH STREAMING TABLE bronze_products
COMMENT 'Product catalogue, a CSV file whenever it changes'
AS SELECT
  *,
  _metadata.file_name AS source_file
FROM STREAM read_files(
  '${landing}/products',
  format => 'csv',
  schemaHints => 'product_id BIGINT, manufacturer_id BIGINT'
);

CREATE OR REFRESH STREAMING TABLE bronze_households
COMMENT 'Change feed of household facts: INSERT, UPDATE and DELETE with a sequence number'
AS SELECT
  *,
  _metadata.file_name AS source_file
FROM STREAM read_files(
  '${landing}/households',
  format => 'json',
  schemaHints => 'household_id BIGINT, sequence_number BIGINT'
);
