"""Delivers mails and webhooks without keeping the run waiting."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from helpers.jobs import notifications, webhooks
from helpers.jobs.notifications import Told
from helpers.jobs.runs import Run, TaskRun
from helpers.runtime.places import Places


class Courier:
    """`send` hands something over, `collect` gives what became of it."""

    def __init__(self, places: Places, environment: Mapping[str, str]) -> None:
        self._places = places
        self._smtp = environment.get(notifications.VARIABLE, "").strip()
        self._hooks = environment.get(webhooks.VARIABLE, "")
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="courier")
        self._sent: list[tuple[dict[str, Any], Future[dict[str, Any]]]] = []

    def send(self, told: Told, run: Run, task: TaskRun | None, *, now_ms: int) -> None:
        """Hand over the mail and the webhook calls of one event."""
        about = {"event": told.event, "task_key": task and task.task_key}
        if told.mails:
            mail = partial(notifications.message, run, task, event=told.event, to=told.mails, now_ms=now_ms)
            deliver = partial(notifications.deliver, url=self._smtp, outbox=self._places.outbox)
            self._submit({**about, "channel": "email"}, told.mails, lambda: deliver(mail()))
        for hook in told.webhooks:
            body = webhooks.payload(run, task, event=told.event)
            setting, home, outbox = self._hooks, self._places.root, self._places.outbox
            call = partial(webhooks.call, hook, body, setting=setting, home=home, outbox=outbox)
            self._submit({**about, "channel": "webhook"}, [hook], call)

    def collect(self, *, wait: bool = False) -> list[dict[str, Any]]:
        """Give what was sent, where it went and what failed, for each that is done, or for all."""
        done = [(about, future) for about, future in self._sent if wait or future.done()]
        self._sent = [pair for pair in self._sent if pair not in done]
        return [{**about, **_outcome(future)} for about, future in done]

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _submit(self, about: dict[str, Any], to: Sequence[str], deliver: Callable[[], dict[str, Any]]) -> None:
        self._sent.append(({**about, "recipients": list(to)}, self._pool.submit(deliver)))


def _outcome(future: Future[dict[str, Any]]) -> dict[str, Any]:
    """What became of one delivery: a mail or a webhook that goes wrong, whatever way, is no failure of the run."""
    try:
        return future.result()
    except Exception as error:
        return {"where": None, "error": f"{type(error).__name__}: {error}"}
