"""E-mail notifications: `.eml` files in the outbox, or a mail server when `LAKEPREP_SMTP` names one.

`LAKEPREP_SMTP` is `smtp://user:password@host:port` (`smtps://` for TLS from the start; with `smtp://` TLS is used where
the server offers it). A mail that no server takes is kept in the outbox: a run never fails for its mail. The password
is never shown.
"""

from __future__ import annotations

import smtplib
import ssl
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from helpers.files import replace_file
from helpers.jobs.model import Notifications
from helpers.jobs.runs import Run, TaskRun

VARIABLE = "LAKEPREP_SMTP"
WARNING = "on_duration_warning_threshold_exceeded"
_PATIENCE = 10.0
_HAPPENED = {"on_start": "started", WARNING: "takes longer than expected"}
_SKIPPED = frozenset({"UPSTREAM_FAILED", "UPSTREAM_CANCELED", "MAXIMUM_CONCURRENT_RUNS_REACHED"})
_CANCELED = frozenset({"CANCELED", "UPSTREAM_CANCELED"})


@dataclass(frozen=True)
class Server:
    """A mail server; `repr` leaves the password out."""

    host: str
    port: int
    user: str
    password: str
    tls: bool

    def __repr__(self) -> str:
        return f"Server({self.host}:{self.port})"


@dataclass(frozen=True)
class Told:
    """Who is told of one event; nobody is fine."""

    event: str
    mails: tuple[str, ...] = ()
    webhooks: tuple[str, ...] = ()


def recipients(who: Notifications, result_state: str | None) -> Told:
    """Say which notification a result (None: it starts) asks for, and who gets it."""
    if result_state is None:
        return told(who, "on_start")
    if result_state in ("SUCCESS", "SUCCESS_WITH_FAILURES"):
        return told(who, "on_success")
    quiet = (result_state == "EXCLUDED"
             or (who.no_alert_for_skipped_runs and result_state in _SKIPPED)
             or (who.no_alert_for_canceled_runs and result_state in _CANCELED))  # fmt: skip
    return Told("on_failure") if quiet else told(who, "on_failure")


def told(who: Notifications, event: str) -> Told:
    """Say who is told of an event."""
    return Told(event, getattr(who, event), who.webhooks.get(event, ()))


def message(run: Run, task: TaskRun | None, *, event: str, to: Sequence[str], now_ms: int) -> EmailMessage:
    """Write the mail about a run, or about one task of it."""
    subject = f"Job '{run.run_name}'" if task is None else f"Task '{task.task_key}' of job '{run.run_name}'"
    happened = _HAPPENED.get(event) or (task or run).state.result_state or ""
    mail = EmailMessage()
    # A line break in a name would be one in a header.
    mail["Subject"] = " ".join(f"{subject}: {happened}".split())
    mail["From"] = "Lakeprep <lakeprep@localhost>"
    try:
        mail["To"] = " ".join(", ".join(to).split())
    except Exception as error:  # the standard library raises whatever it stumbles over
        raise ValueError(f"not all of {', '.join(map(repr, to))} are mail addresses") from error
    mail["Date"] = format_datetime(datetime.fromtimestamp(now_ms / 1000, UTC))
    mail["Message-ID"] = f"<{uuid.uuid4()}@localhost>"
    mail.set_content("\n".join(_body(run, task)) + "\n")
    return mail


def deliver(mail: EmailMessage, *, url: str, outbox: Path) -> dict[str, Any]:
    """Send a mail to the server of this URL, or into the outbox when there is none or it fails.

    Gives `where` it is now and the `error`, or None.
    """
    if not url:
        return _keep(mail, outbox, error=None)
    try:
        server = parse_server(url)
    except ValueError as error:
        return _keep(mail, outbox, error=f"{VARIABLE} is not usable: {error}")
    try:
        _send(mail, server)
    except (OSError, ValueError, smtplib.SMTPException) as error:
        said = f"{type(error).__name__}: {error}"
        if server.password:
            said = said.replace(server.password, "***")
        return _keep(mail, outbox, error=f"the mail server {server.host}:{server.port} did not take it ({said})")
    return {"where": f"smtp {server.host}:{server.port}", "error": None}


def parse_server(url: str) -> Server:
    """Read `smtp://user:password@host:port`; ValueError, which does not repeat the URL, for anything else."""
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError("it is not smtp://user:password@host:port")
    try:
        port = parts.port
    except ValueError:
        raise ValueError("its port is not a number") from None
    tls = parts.scheme == "smtps"
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Server(parts.hostname, port or (465 if tls else 25), user, password, tls)


def _send(mail: EmailMessage, server: Server) -> None:
    secure = ssl.create_default_context()
    kind = smtplib.SMTP_SSL if server.tls else smtplib.SMTP
    options = {"context": secure} if server.tls else {}
    with kind(server.host, server.port, timeout=_PATIENCE, **options) as connection:
        connection.ehlo()
        if not server.tls and connection.has_extn("starttls"):
            connection.starttls(context=secure)
            connection.ehlo()
        if server.user:
            connection.login(server.user, server.password)
        sender = server.user if "@" in server.user else None
        if sender:
            mail.replace_header("From", f"Lakeprep <{sender}>")
        connection.send_message(mail)


def _keep(mail: EmailMessage, outbox: Path, *, error: str | None) -> dict[str, Any]:
    name = f"{mail['Message-ID'].strip('<>').partition('@')[0]}.eml"
    try:
        outbox.mkdir(parents=True, exist_ok=True)
        replace_file(outbox / name, bytes(mail))
    except (OSError, ValueError) as problem:
        lost = f"the mail cannot be written to the outbox {outbox}: {getattr(problem, 'strerror', None) or problem}"
        return {"where": None, "error": lost if error is None else f"{error}; {lost}"}
    return {"where": str(outbox / name), "error": error}


def _body(run: Run, task: TaskRun | None) -> list[str]:
    lines = [f"Job: {run.run_name} (job {run.job_id})", f"Run: {run.run_id}"]
    if run.state.state_message:
        lines.append(f"Message: {run.state.state_message}")
    lines += run.duration_warnings
    for shown in run.latest() if task is None else (task,):
        lines.append(f"Task {shown.task_key}: {shown.state.result_state or shown.state.life_cycle_state}")
        if shown.error:
            lines.append(f"  {shown.error}")
    return lines
