"""One server that several processes use at once."""

from __future__ import annotations

import ipaddress
import json
import stat
import time

import psutil
import pytest

from helpers.runtime import ServerInfo, ensure_server, server_status, stop_server
from helpers.runtime.doctor import diagnose
from helpers.runtime.usage import Sample, read_usage

_ENSURE = "print(ensure_server(places, report=lambda message: None).pid)"


@pytest.fixture(scope="module")
def server(world) -> ServerInfo:
    """Start it as two notebooks that are opened at the same moment do."""
    first, second = world.start(_ENSURE), world.start(_ENSURE)
    answers = [process.communicate(timeout=240) for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], answers
    info = ensure_server(world.places, environ=world.environ)
    assert {int(said) for said, _ in answers} == {info.pid}
    return info


def test_two_starting_at_once_share_one_server(world, server: ServerInfo) -> None:
    status = server_status(world.places)
    assert status.state == "running"
    assert status.holder is not None
    assert status.holder.process == server.supervisor


def test_the_server_is_nobodys_child_so_that_a_kernel_which_ends_does_not_end_it(server: ServerInfo) -> None:
    assert psutil.Process(server.pid).ppid() not in {psutil.Process().pid, 0}
    assert server.pid not in {child.pid for child in psutil.Process().children(recursive=True)}


def test_the_server_listens_on_loopback_only(server: ServerInfo) -> None:
    listening = [c.laddr for c in psutil.Process(server.jvm_pid).net_connections("inet") if c.status == "LISTEN"]
    assert server.port in {address.port for address in listening}
    addresses = [ipaddress.ip_address(address.ip) for address in listening]
    assert all((getattr(ip, "ipv4_mapped", None) or ip).is_loopback for ip in addresses), addresses


def test_only_the_owner_can_read_the_token(world, server: ServerInfo) -> None:
    for path in (world.places.token_file, world.places.server_file, world.places.server_log):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    command = " ".join(psutil.Process(server.jvm_pid).cmdline())
    configured = (world.places.home / "spark.properties").read_text()
    assert server.token
    assert server.token not in command + configured + repr(server)


def test_the_server_file_has_a_version_and_both_processes(world, server: ServerInfo) -> None:
    record = json.loads(world.places.server_file.read_text())
    assert record["version"] == 1
    assert (record["pid"], record["jvm_pid"], record["port"]) == (server.pid, server.jvm_pid, server.port)


def test_a_client_without_the_token_is_refused(world, server: ServerInfo) -> None:
    said = world.run(
        f"""
from pyspark.sql.connect.session import SparkSession
for url in ("sc://localhost:{server.port}", "sc://localhost:{server.port}/;token=wrong"):
    spark = SparkSession.builder.remote(url).create()
    try:
        print(spark.range(1).collect())
    except Exception as error:
        print("refused" if "UNAUTHENTICATED" in str(error) or "token" in str(error) else error)
    spark.stop()
"""
    )
    assert said.split() == ["refused", "refused"]


def test_attaching_twice_gives_the_same_session_and_another_home_is_an_error(world, server: ServerInfo) -> None:
    said = world.run(
        """
from helpers.runtime.errors import SessionAlreadyOpen
spark = attach(places)
print(attach(places) is spark, attach(places, session_id=spark.session_id) is spark)
try:
    attach(Places(places.root / "another"))
except SessionAlreadyOpen as error:
    print(error)
detach(spark)
again = attach(places)
print(again is spark, again.range(2).count())
"""
    )
    first, error, last = said.splitlines()
    assert (first, last) == ("True True", "False 2")
    assert error.startswith("This process already has a Spark session, session ")
    assert error.endswith("Call `spark.stop()` first, or use another process.")


def test_a_session_that_lakeprep_did_not_open_is_not_taken_over(world, server: ServerInfo) -> None:
    said = world.run(
        f"""
from pyspark.sql.connect.session import SparkSession
from helpers.runtime.errors import SessionAlreadyOpen
spark = SparkSession.builder.remote({server.remote!r}).create()
try:
    attach(places)
except SessionAlreadyOpen as error:
    print(error)
spark.stop()
print(attach(places).range(2).count())
"""
    )
    assert "one that Lakeprep did not open" in said.splitlines()[0]
    assert said.splitlines()[1] == "2"


def test_a_second_process_joins_a_session_by_its_id_until_that_is_closed(world, server: ServerInfo) -> None:
    holder = world.start(
        """
spark = attach(places)
spark.range(3).createOrReplaceTempView("three")
print(spark.session_id, flush=True)
input()
"""
    )
    session_id = holder.stdout.readline().strip()
    join = f"""
from helpers.runtime.errors import SessionEnded
try:
    spark = attach(places, session_id={session_id!r})
    spark.release_session_on_close = False
    print(spark.table("three").count())
except SessionEnded as error:
    print(error)
"""
    assert world.run(join) == "3\n"
    holder.communicate("\n", timeout=60)
    assert world.run(join) == f"Session {session_id} has been closed on the server. Attach without its id.\n"


def test_spark_remote_names_the_server_to_use(world, server: ServerInfo, tmp_path) -> None:
    said = world.run(
        f"""
elsewhere = Places(Path({str(tmp_path)!r}))
spark = attach(elsewhere)
print(spark.range(2).count(), spark.server, spark.remote.split(";")[0], elsewhere.home.exists())
detach(spark)
print(attach(elsewhere, session_id="3f0e9f1c-4a3c-4a39-8f0e-0d6c1b6a7e55").session_id)
""",
        SPARK_REMOTE=server.remote,
    )
    assert said.splitlines() == [
        f"2 None sc://localhost:{server.port}/ False",
        "3f0e9f1c-4a3c-4a39-8f0e-0d6c1b6a7e55",
    ]


def test_an_unreachable_spark_remote_is_one_sentence_in_time(world, free_port: int) -> None:
    started = time.monotonic()
    said = world.run(
        """
from helpers.runtime.errors import ServerUnreachable
try:
    attach(places)
except ServerUnreachable as error:
    print(error)
""",
        SPARK_REMOTE=f"sc://127.0.0.1:{free_port}/;token=secret",
    )
    assert said.startswith(f"Nobody answers at SPARK_REMOTE=sc://127.0.0.1:{free_port} (Connection refused). ")
    assert "unset SPARK_REMOTE" in said
    assert "secret" not in said
    # The claim is that nobody hangs, hence the deadline.
    assert time.monotonic() - started < 10


def test_the_warm_up_leaves_nothing_behind(world, server: ServerInfo) -> None:
    said = world.run(
        """
from helpers.runtime.warmup import main
print(main(str(places.root)))
print([path.name for path in places.scratch.iterdir() if path.name.startswith("warm-up")])
spark = attach(places)
print(spark.sql("SHOW TABLES IN default").collect(), spark.sql("SHOW SCHEMAS").count(), spark.streams.active)
"""
    )
    assert said.splitlines() == ["0", "[]", "[] 1 []"]
    assert list(world.places.warehouse.iterdir()) == []


def test_what_it_shuffles_is_sampled_beside_its_cpu_and_memory(world, server: ServerInfo) -> None:
    def sampled() -> list[Sample]:
        return read_usage(world.places, start_ms=0, end_ms=2**62)

    before = sum(one["shuffle_written"] for one in sampled())
    world.run('attach(places).range(200000).selectExpr("id % 1000 AS k").groupBy("k").count().collect()')
    deadline = time.monotonic() + 60
    while sum(one["shuffle_written"] for one in sampled()) <= before and time.monotonic() < deadline:
        time.sleep(0.2)
    assert sum(one["shuffle_written"] for one in sampled()) > before
    assert sum(one["shuffle_read"] for one in sampled()) > 0
    assert all(one["memory"] > 0 for one in sampled())


def test_the_doctor_sees_a_running_server_and_who_holds_its_lock(world, server: ServerInfo) -> None:
    findings = diagnose(world.places, environ=world.environ)
    said = "\n".join(finding.what for finding in findings)
    assert [finding for finding in findings if finding.level == "problem"] == []
    assert f"server is running (process {server.pid}, JVM {server.jvm_pid}, port {server.port}, since " in said
    assert f"Process {server.pid} holds the server's lock since " in said
    assert "-m helpers.runtime.supervisor" in said
    assert server.token not in said


def test_an_attached_process_is_counted_until_it_ends(world, server: ServerInfo) -> None:
    said = world.run(
        """
attach(places)
print(len(list(places.clients.glob("*.json"))))
"""
    )
    assert said.split() == ["1"]
    assert list(world.places.clients.glob("*.json")) == []


def test_an_interpreter_with_an_open_session_and_a_listener_ends(world, server: ServerInfo) -> None:
    process = world.start(
        """
from pyspark.sql.streaming import StreamingQueryListener
class Silent(StreamingQueryListener):
    def onQueryStarted(self, event): ...
    def onQueryProgress(self, event): ...
    def onQueryTerminated(self, event): ...
spark = attach(places)
spark.streams.addListener(Silent())
print(spark.range(2).count())
"""
    )
    said, complained = process.communicate(timeout=60)
    assert (process.returncode, said.split()) == (0, ["2"]), complained


def test_a_server_is_stopped_and_nothing_that_names_it_stays(world, server: ServerInfo) -> None:
    assert stop_server(world.places)
    assert not server.supervisor.alive
    assert not server.jvm.alive
    assert server_status(world.places).state == "stopped"
    assert not world.places.server_file.exists()
    assert not world.places.token_file.exists()
    assert list(world.places.scratch.iterdir()) == []
    assert not stop_server(world.places)
