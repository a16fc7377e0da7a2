"""The Streamlit dashboard: it reads the lakehouse's Delta tables without a JVM; `helpers.commands.dashboard` starts it.

`app` is the script that Streamlit runs. `filters`, `queries`, `lakehouse` and `activity` know nothing of Streamlit.
"""
