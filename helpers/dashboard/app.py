"""The script that Streamlit runs for each reader, and again whenever something is chosen or has changed."""

from __future__ import annotations

import streamlit as st

from helpers.dashboard.entrance import admitted
from helpers.dashboard.page import show_page
from helpers.runtime.places import Places

if __name__ == "__main__":
    st.set_page_config(page_title="Lakeprep: retail", page_icon="🛒", layout="wide")
    if admitted():
        show_page(Places.from_environment())
