"""dbutils.secrets from the environment, and that a value is shown nowhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.jobs import get_dbutils
from helpers.jobs.context import VARIABLE, JobContext, read_exit_value, read_values
from helpers.jobs.redaction import Redaction
from helpers.jobs.values import NotebookExit, SecretNotFound, TaskValueError
from helpers.runtime.places import REPO_ROOT

VALUE = "s3cr3t \"p\" <é>"
ENVIRON = {"LAKEPREP_SECRET_SHOP_DB_DB_PASSWORD": VALUE, "LAKEPREP_SECRET_SHOP_DB_USER": "ada l",
           "LAKEPREP_SECRET_EMPTY_KEY": "", "OTHER": "x"}  # fmt: skip


@pytest.fixture
def in_job(tmp_path: Path):
    told = JobContext(str(tmp_path), 1, 2, "gold", 3, 0, {}, {}, ("gold",))
    return get_dbutils({**ENVIRON, VARIABLE: str(told.write()), "LAKEPREP_HOME": str(tmp_path)})


def test_a_secret_is_an_environment_variable(in_job):
    assert in_job.secrets.get("shop-db", "db.password") == VALUE
    assert in_job.secrets.getBytes(scope="shop-db", key="db.password") == VALUE.encode()
    assert [one.key for one in in_job.secrets.list("shop-db")] == ["db_password", "user"]
    assert [one.getName() for one in in_job.secrets.listScopes()] == ["shop"]


@pytest.mark.parametrize(("scope", "key"), [("shop-db", "token"), ("empty", "key")])
def test_a_secret_that_is_not_there_names_the_variable_and_no_value(in_job, scope, key):
    with pytest.raises(SecretNotFound) as raised:
        in_job.secrets.get(scope, key)
    name = f"LAKEPREP_SECRET_{scope}_{key}".upper().replace("-", "_")
    assert f"Secret does not exist with scope: {scope} and key: {key}; set the environment variable {name}" in str(
        raised.value
    )
    with pytest.raises(SecretNotFound, match=r"Scope other does not exist; set .* LAKEPREP_SECRET_OTHER_<KEY>"):
        in_job.secrets.list("other")


def test_what_the_run_keeps_holds_no_secret(in_job, tmp_path):
    for value in (VALUE, {"a": [f"Bearer {VALUE}"]}):
        with pytest.raises(TaskValueError, match="'v' holds a secret, and the run's record would show it") as raised:
            in_job.jobs.taskValues.set("v", value)
        assert "s3cr3t" not in str(raised.value)
    assert read_values(tmp_path) == {}
    with pytest.raises(ValueError, match="the argument 'token' holds a secret"):
        in_job.notebook.run("child", 0, {"token": VALUE})
    with pytest.raises(NotebookExit) as ended:
        in_job.notebook.exit(f"token={VALUE}")
    assert str(ended.value) == read_exit_value(tmp_path) == "token=[REDACTED]"


def test_a_value_is_redacted_as_it_stands_and_as_text_formats_write_it():
    redaction = Redaction.of(ENVIRON)
    for shown in (VALUE, repr([VALUE]), json.dumps({"a": VALUE}), json.dumps(VALUE, ensure_ascii=False),
                  "<b>s3cr3t &quot;p&quot; &lt;é&gt;</b>"):  # fmt: skip
        assert "s3cr3t" not in redaction.text(shown)
        assert "[REDACTED]" in redaction.text(shown)
    assert redaction.deep({"a": [VALUE, 1], VALUE: None}) == {"a": ["[REDACTED]", 1], "[REDACTED]": None}
    assert not Redaction.of({"OTHER": "x"})


#: Prints the secret whole, in two writes, from a process it starts, and in the error that ends it.
SCRIPT = """
import subprocess, sys
from databricks.sdk.runtime import dbutils
value = dbutils.secrets.get('shop-db', 'db.password')
print('one', value, flush=True)
sys.stdout.write('two ' + value[:4]); sys.stdout.flush(); print(value[4:])
subprocess.run([sys.executable, '-c', 'import sys; print("three", sys.argv[1])', value], check=True)
print('four', value, file=sys.stderr)
raise ValueError('x' * 490 + ' ' + value)
"""


def test_neither_the_log_nor_the_result_of_a_script_task_shows_a_secret(tmp_path):
    (tmp_path / "leak.py").write_text(SCRIPT)
    told = {"script": str(tmp_path / "leak.py"), "arguments": [], "result": str(tmp_path / "result.json")}
    (tmp_path / "spec.json").write_text(json.dumps(told))
    ran = subprocess.run(
        [sys.executable, "-m", "helpers.jobs.script_task", str(tmp_path / "spec.json")],
        env={**os.environ, **ENVIRON, "PYTHONPATH": str(REPO_ROOT), "PYTHONUTF8": "1", VARIABLE: ""},
        cwd=REPO_ROOT, capture_output=True, check=False,
    )  # fmt: skip
    log = ran.stdout.decode()
    assert sorted(log.splitlines()) == sorted(f"{word} [REDACTED]" for word in ("one", "two", "three", "four"))
    assert (ran.returncode, ran.stderr) == (1, b"")
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["error"].startswith("ValueError: xxx")
    assert "x [REDA" in result["error"]
    assert "s3cr" not in result["error"]
    assert "s3cr3t" not in result["error_trace"]
