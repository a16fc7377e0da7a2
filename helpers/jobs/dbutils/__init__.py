"""The parts of `dbutils` off Databricks, one module each; :mod:`helpers.jobs.values` puts them together.

Every task's kernel loads them, so they import little.
"""
