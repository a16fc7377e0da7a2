"""`deploy`: the retail job to a Databricks workspace."""

from __future__ import annotations

from rich.console import Console

from helpers.deploy import Deployment, arrive, connect, deploy
from helpers.deploy.connection import Hand


def deploy_retail_job(
    what: Deployment, *, profile: str | None, dry_run: bool, only_files: bool, console: Console
) -> None:
    """Deploy, or with `only_files` let files arrive, and say each thing that is done."""

    def say(line: str) -> None:
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    hand = Hand(connect(profile=profile), say, dry=dry_run)
    if only_files:
        arrive(hand, what)
        return
    address = deploy(hand, what)
    if dry_run:
        say("Nothing was changed.")
    else:
        say(f"The job is ready: {address}")
