"""E-mails: who gets one, into the outbox, and to a real server on this machine."""

from __future__ import annotations

import email
import socket
from collections.abc import Iterator
from dataclasses import replace
from email import policy
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from aiosmtpd.smtp import AuthResult

from helpers.jobs.model import Notifications
from helpers.jobs.notifications import Told, deliver, message, parse_server, recipients
from helpers.jobs.record import Run, State, TaskRun
from tests.unit.jobs_fakes import fake_runs, task

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")

ERROR = "ValueError: no rows (cell 2 of gold.ipynb)"
TASK = TaskRun(3, "gold", 0, "notebook", State("TERMINATED", "FAILED"), error=ERROR)
RUN = Run(1, 2, "retail", State("TERMINATED", "FAILED", "task 'gold' failed"), 0, {}, tasks=(TASK,))
ALL = Notifications(on_start=("s@x",), on_success=("ok@x",), on_failure=("bad@x",))


class Inbox(Message):
    def __init__(self) -> None:
        super().__init__()
        self.mails: list[email.message.Message] = []

    def handle_message(self, mail: email.message.Message) -> None:
        self.mails.append(mail)


def controller(inbox: Inbox, *, password: str | None = None) -> Controller:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def check(server, session, envelope, mechanism, given) -> AuthResult:
        return AuthResult(success=given.password == (password or "").encode(), handled=False)

    options = {"authenticator": check, "auth_require_tls": False, "auth_required": True} if password else {}
    return Controller(inbox, hostname="127.0.0.1", port=port, **options)


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def server(inbox: Inbox) -> Iterator[Controller]:
    running = controller(inbox)
    running.start()
    yield running
    running.stop()


def mail(to: tuple[str, ...] = ("bad@x",)) -> email.message.EmailMessage:
    return message(RUN, None, event="on_failure", to=to, now_ms=0)


def kept(outbox: Path) -> list[email.message.EmailMessage]:
    return [email.message_from_bytes(path.read_bytes(), policy=policy.default) for path in outbox.glob("*.eml")]


@pytest.mark.parametrize(
    ("result", "emails", "expected"),
    [
        (None, ALL, Told("on_start", ("s@x",))),
        ("SUCCESS", ALL, Told("on_success", ("ok@x",))),
        ("SUCCESS_WITH_FAILURES", ALL, Told("on_success", ("ok@x",))),
        ("FAILED", ALL, Told("on_failure", ("bad@x",))),
        ("TIMEDOUT", ALL, Told("on_failure", ("bad@x",))),
        ("UPSTREAM_FAILED", ALL, Told("on_failure", ("bad@x",))),
        ("EXCLUDED", ALL, Told("on_failure")),
        ("MAXIMUM_CONCURRENT_RUNS_REACHED", ALL, Told("on_failure", ("bad@x",))),
        ("MAXIMUM_CONCURRENT_RUNS_REACHED", replace(ALL, no_alert_for_skipped_runs=True), Told("on_failure")),
        ("FAILED", replace(ALL, no_alert_for_skipped_runs=True), Told("on_failure", ("bad@x",))),
        ("CANCELED", ALL, Told("on_failure", ("bad@x",))),
        ("CANCELED", replace(ALL, no_alert_for_canceled_runs=True), Told("on_failure")),
    ],
)
def test_who_is_told_follows_the_result_and_the_settings(result, emails, expected):
    assert recipients(emails, result) == expected


def test_without_a_server_a_mail_is_a_file_in_the_outbox(tmp_path):
    told = deliver(mail(), url="", outbox=tmp_path / "outbox")
    assert told["error"] is None
    (found,) = kept(tmp_path / "outbox")
    assert found["Subject"] == "Job 'retail': FAILED"
    assert found["To"] == "bad@x"
    assert "task 'gold' failed" in found.get_content()
    assert ERROR in found.get_content()
    assert [path.name for path in (tmp_path / "outbox").iterdir()] == [Path(told["where"]).name]


def test_two_mails_never_share_a_file(tmp_path):
    for _ in range(20):
        deliver(mail(), url="", outbox=tmp_path)
    assert len(kept(tmp_path)) == 20


def test_a_task_is_named_in_its_mail():
    about = message(RUN, TASK, event="on_failure", to=("a@x",), now_ms=0)
    assert about["Subject"] == "Task 'gold' of job 'retail': FAILED"
    assert message(RUN, TASK, event="on_start", to=("a@x",), now_ms=0)["Subject"].endswith(": started")


def test_a_name_with_a_line_break_cannot_add_a_header(tmp_path):
    odd = replace(RUN, run_name="x\r\nBcc: victim@x")
    sent = message(odd, None, event="on_start", to=("a@x",), now_ms=0)
    deliver(sent, url="", outbox=tmp_path)
    (found,) = kept(tmp_path)
    assert found["Bcc"] is None


def test_a_server_gets_the_mail_and_the_outbox_stays_empty(tmp_path, server, inbox):
    told = deliver(mail(("a@x", "b@x")), url=f"smtp://127.0.0.1:{server.port}", outbox=tmp_path / "outbox")
    assert told == {"where": f"smtp 127.0.0.1:{server.port}", "error": None}
    assert inbox.mails[0]["To"] == "a@x, b@x"
    assert inbox.mails[0]["X-RcptTo"] == "a@x, b@x"
    assert not (tmp_path / "outbox").exists()


def test_user_and_password_of_the_url_are_used(tmp_path, inbox):
    running = controller(inbox, password="p@ss/word")
    running.start()
    try:
        url = f"smtp://me%40example.com:p%40ss%2Fword@127.0.0.1:{running.port}"
        assert deliver(mail(), url=url, outbox=tmp_path)["error"] is None
    finally:
        running.stop()
    assert inbox.mails[0]["From"] == "Lakeprep <me@example.com>"


def test_a_wrong_password_is_told_without_showing_it_and_the_mail_is_kept(tmp_path, inbox):
    running = controller(inbox, password="right")
    running.start()
    try:
        told = deliver(mail(), url=f"smtp://me:wr0ng-secret@127.0.0.1:{running.port}", outbox=tmp_path)
    finally:
        running.stop()
    assert f"the mail server 127.0.0.1:{running.port} did not take it (SMTPAuthenticationError" in told["error"]
    assert "wr0ng-secret" not in str(told)
    assert len(kept(tmp_path)) == 1


def test_a_server_that_is_not_there_is_told_and_the_mail_is_kept(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    told = deliver(mail(), url=f"smtp://127.0.0.1:{port}", outbox=tmp_path)
    assert "ConnectionRefusedError" in told["error"]
    assert len(kept(tmp_path)) == 1


@pytest.mark.parametrize("url", ["mail.example.com", "http://h:1", "smtp://", "smtp://u:secret@h:port", "smtp://[h"])
def test_a_url_that_is_not_one_is_told_without_showing_it(tmp_path, url):
    told = deliver(mail(), url=url, outbox=tmp_path)
    assert told["error"].startswith("LAKEPREP_SMTP is not usable: ")
    assert "secret" not in told["error"]
    assert len(kept(tmp_path)) == 1


def test_a_mail_that_can_go_nowhere_is_told_and_raises_nothing(tmp_path):
    (tmp_path / "outbox").write_text("a file where the folder should be")
    told = deliver(mail(), url="", outbox=tmp_path / "outbox")
    assert told["where"] is None
    assert "cannot be written" in told["error"]


def test_a_server_does_not_show_its_password():
    assert "secret" not in repr(parse_server("smtps://u:secret@h"))
    assert parse_server("smtps://u:secret@h").port == 465


@pytest.mark.parametrize("address", ["ops@", "x <", "user@[1.2.3"])
def test_an_address_that_is_none_is_told_and_ends_no_run(tmp_path, address):
    job = {"notifications": Notifications(on_start=(address,), on_success=("a@x", address))}
    run = fake_runs(tmp_path)(task("a"), job=job)
    assert run.state.word == "SUCCESS"
    assert [fact["where"] for fact in run.notifications] == [None, None]
    assert all(f"{address!r} are mail addresses" in fact["error"] for fact in run.notifications)
