"""The progress file survives kills, two writers and damage, and says what it could not read."""

from __future__ import annotations

import builtins
import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers import files, journal
from helpers.errors import LakeprepError
from helpers.progress import ExerciseState, Progress, QuestionState

ROOT = Path(__file__).resolve().parents[2]
RECORDER = """
import sys
from pathlib import Path
from helpers.progress import Progress
progress = Progress(Path(sys.argv[1]))
for number in range(int(sys.argv[3])):
    progress.record_exercise(f"{sys.argv[2]}.{number}", correct=True)
    print(number, flush=True)
"""


class Killed(BaseException):
    """Ends the process in the middle of a write, as far as the file is concerned."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "progress.jsonl"


def filled(path: Path) -> Progress:
    progress = Progress(path, clock=lambda: 1.0)
    progress.record_exercise("05.1", correct=False)
    progress.record_hint("05.1", 1)
    progress.record_question("05.q1", chosen=["rescue", "fail"], correct=True)
    progress.record_exercise("05.1", correct=True)
    return progress


def recorder(path: Path, name: str, times: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", RECORDER, str(path), name, str(times)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_what_was_recorded_is_there_for_the_next_session(path: Path) -> None:
    filled(path)
    again = Progress(path)
    assert again.exercise("05.1") == ExerciseState(attempts=2, correct=True, hints=1)
    assert again.question("05.q1") == QuestionState(1, ("rescue", "fail"), correct=True, first_correct=True)
    assert (dict(again.exercises), set(again.questions)) == ({"05.1": again.exercise("05.1")}, {"05.q1"})
    assert again.notes == ()


def test_an_unknown_id_has_a_zero_state_and_reading_makes_no_file(path: Path) -> None:
    progress = Progress(path)
    assert (progress.exercise("05.9"), progress.question("05.q9")) == (ExerciseState(), QuestionState())
    assert (progress.notes, path.parent.exists()) == ((), False)


def test_a_later_wrong_attempt_keeps_an_exercise_correct_and_turns_a_question_wrong(path: Path) -> None:
    progress = filled(path)
    progress.record_exercise("05.1", correct=False)
    progress.record_question("05.q1", chosen=["none"], correct=False)
    assert progress.exercise("05.1").correct
    assert progress.question("05.q1") == QuestionState(2, ("none",), correct=False, first_correct=True)


def test_the_same_hint_twice_is_one_hint(path: Path) -> None:
    progress = Progress(path)
    for number in (1, 2, 1):
        progress.record_hint("05.1", number)
    assert progress.exercise("05.1") == ExerciseState(hints=2)


def test_every_line_names_its_version_and_time(path: Path) -> None:
    filled(path)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [(line["version"], line["at"]) for line in lines] == [(1, 1.0)] * 4


def test_an_open_session_sees_what_another_one_records(path: Path) -> None:
    first, second = filled(path), Progress(path)
    assert second.exercise("05.2").attempts == 0
    first.record_exercise("05.2", correct=True)
    assert second.exercise("05.2").correct


def test_a_file_cut_at_any_byte_of_its_last_line_keeps_the_others_in_silence(path: Path) -> None:
    filled(path)
    whole = path.read_bytes()
    start = whole.rstrip(b"\n").rindex(b"\n") + 1
    for end in range(start, len(whole)):
        path.write_bytes(whole[:end])
        progress = Progress(path)
        complete = end == len(whole) - 1  # only the end of line is missing
        assert progress.exercise("05.1") == ExerciseState(attempts=1 + complete, correct=complete, hints=1)
        progress.record_exercise("05.2", correct=True)
        again = Progress(path)
        assert (len(again.exercises), len(again.questions), again.notes) == (2, 1, ())
        assert again.exercise("05.1").attempts == 1 + complete
    assert [file.name for file in path.parent.glob("*.damaged-*")] == []


def test_a_kill_at_any_moment_loses_nothing_that_was_recorded(path: Path) -> None:
    dice, promised = random.Random(7), 0
    for attempt in range(12):
        process = recorder(path, str(attempt), 100_000)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(dice.uniform(0, 0.02))
        process.send_signal(signal.SIGKILL)
        promised += 1 + len(process.stdout.read().splitlines())
        process.wait()
        progress = Progress(path)
        # What was written and not yet promised may be there too, once a kill.
        assert promised <= len(progress.exercises) <= promised + attempt + 1
        assert progress.notes == ()
    assert len(Progress(path).exercises) >= 12


def test_two_processes_that_write_at_once_lose_nothing(path: Path) -> None:
    processes = [recorder(path, name, 150) for name in ("a", "b")]
    assert [len(process.communicate()[0].splitlines()) for process in processes] == [150, 150]
    progress = Progress(path)
    assert set(progress.exercises) == {f"{name}.{number}" for name in ("a", "b") for number in range(150)}
    assert progress.notes == ()


DAMAGE = {
    "half a line": b'{"version":1,"kind":"exer',
    "no UTF-8": b"\xff\xfe\x00\x81",
    "zeros": b"\0" * 40,
    "no object": b"[1, 2]",
    "no version": b'{"kind":"exercise","id":"05.1","correct":true}',
    "a truth for a version": b'{"version":true,"kind":"exercise","id":"05.1","correct":true}',
    "no kind": b'{"version":1,"id":"05.1","correct":true}',
    "a missing field": b'{"version":1,"kind":"exercise","id":"05.1"}',
    "a wrong type": b'{"version":1,"kind":"question","id":"05.q1","chosen":"rescue","correct":true}',
    "too deep": b"[" * 200_000,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_line_is_set_aside_with_its_file_and_the_learner_is_told(path: Path, damage: bytes) -> None:
    filled(path)
    good = path.read_bytes()
    first, _, rest = good.partition(b"\n")
    path.write_bytes(damaged := b"\n".join((first, damage, rest)))
    progress = Progress(path)
    assert progress.exercise("05.1") == ExerciseState(attempts=2, correct=True, hints=1)
    copy = path.with_name("progress.damaged-1.jsonl")
    assert (copy.read_bytes(), path.read_bytes()) == (damaged, good)
    (note,) = progress.notes
    assert str(copy) in note
    assert "1 line could not be read" in note
    assert Progress(path).notes == (note,)  # until the learner deletes it
    copy.unlink()
    assert Progress(path).notes == ()


def test_a_file_of_other_bytes_is_set_aside_whole_and_a_second_one_beside_it(path: Path) -> None:
    path.parent.mkdir()
    for number in (1, 2):
        path.write_bytes(junk := bytes([255, 254, number]) * 50)
        progress = Progress(path)
        assert dict(progress.exercises) == {}
        assert path.with_name(f"progress.damaged-{number}.jsonl").read_bytes() == junk
        assert len(progress.notes) == number
    progress.record_exercise("05.1", correct=True)
    assert Progress(path).exercise("05.1").correct


def test_a_damaged_end_does_not_swallow_the_next_record(path: Path) -> None:
    progress = filled(path)
    path.write_bytes(path.read_bytes() + b"\0\0\0")
    progress.record_exercise("05.2", correct=True)
    assert Progress(path).exercise("05.2").correct
    assert Progress(path).exercise("05.1").attempts == 2


def test_a_newer_line_stays_untouched_and_is_told(path: Path) -> None:
    filled(path)
    newer = b'{"version":2,"kind":"exercise","id":"05.1","score":0.5}\n'
    path.write_bytes(newer + b"garbage\n" + path.read_bytes())
    progress = Progress(path)
    assert progress.exercise("05.1").attempts == 2
    assert path.read_bytes().startswith(newer)
    assert [note for note in progress.notes if "newer Lakeprep" in note]
    progress.record_exercise("05.1", correct=True)
    assert path.read_bytes().startswith(newer)


@pytest.mark.parametrize("nth", range(6))
def test_a_kill_while_a_file_is_set_aside_loses_nothing(
    path: Path, nth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(path)
    path.write_bytes(damaged := b"garbage\n" + path.read_bytes())
    with monkeypatch.context() as patched:
        steps = iter(range(100))

        def killing(real: Callable[..., Any]) -> Callable[..., Any]:
            def step(*arguments: Any, **options: Any) -> Any:
                if next(steps) == nth:
                    raise Killed
                return real(*arguments, **options)

            return step

        for name in ("fsync", "chmod", "replace"):
            patched.setattr(files.os, name, killing(getattr(os, name)))
        with pytest.raises(Killed):
            _ = Progress(path).exercises
    assert Progress(path).exercise("05.1") == ExerciseState(attempts=2, correct=True, hints=1)
    assert [copy.read_bytes() for copy in path.parent.glob("*.damaged-*")] == [damaged]


def without_filelock(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "filelock":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)


def test_without_filelock_it_appends_without_a_lock(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_filelock(monkeypatch)
    filled(path)
    assert [file.name for file in path.parent.iterdir()] == ["progress.jsonl"]
    assert Progress(path).exercise("05.1").correct


def test_a_disk_that_cannot_append_gets_the_whole_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(path)

    def refuse(path: Path, line: bytes) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(journal, "_append_line", refuse)
    progress = filled(path)
    progress.record_exercise("05.2", correct=True)
    assert progress.exercise("05.1").attempts == 4
    assert Progress(path).exercise("05.2").correct


def test_a_full_disk_is_one_sentence_that_names_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    progress = filled(path)

    def half(descriptor: int, content: memoryview) -> int:
        if len(content) < 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, content[:15])

    real = os.write
    with monkeypatch.context() as patched:
        patched.setattr(journal.os, "write", half)
        with pytest.raises(LakeprepError, match=r"progress\.jsonl could not be written: No space left"):
            progress.record_exercise("05.2", correct=True)
    progress.record_exercise("05.3", correct=True)
    assert set(Progress(path).exercises) == {"05.1", "05.3"}
    assert progress.notes == ()


def test_a_damaged_file_that_cannot_be_set_aside_is_read_and_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(path)
    path.write_bytes(b"garbage\n" + path.read_bytes())

    def refuse(path: Path, content: bytes) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(journal, "replace_file", refuse)
    progress = Progress(path)
    assert progress.exercise("05.1").attempts == 2
    assert progress.notes == (
        f"1 line of {path} cannot be read, and the file could not be set aside. Make {path.parent} writable.",
    )


def test_a_file_that_cannot_be_read_is_named(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(LakeprepError, match=r"progress\.jsonl could not be read"):
        _ = Progress(path).exercises
