"""A Databricks workspace on this machine: the endpoints that a deployment uses, with the state they leave behind.

It answers in the shapes of databricks-sdk's own types and is as strict as they are: a field that they do not know, a
folder, schema or notebook that is not there, each is refused.
"""

from __future__ import annotations

import email
import itertools
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from databricks.sdk.service.catalog import SchemaInfo, VolumeInfo
from databricks.sdk.service.jobs import JobSettings
from databricks.sdk.service.pipelines import PipelineSpec

USER = "Alice.B@example.com"
TOKEN = "dapi-do-not-tell"


class Refused(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


def missing(what: str) -> Refused:
    return Refused(404, "RESOURCE_DOES_NOT_EXIST", f"{what} does not exist")


@dataclass
class Workspace:
    """What the workspace holds, what was asked of it, and which requests it refuses."""

    host: str = ""
    user: dict[str, str] = field(default_factory=lambda: {"userName": USER, "displayName": "Alice"})
    catalogs: set[str] = field(default_factory=lambda: {"workspace", "main", "samples"})
    schemas: dict[str, dict[str, Any]] = field(default_factory=dict)
    volumes: dict[str, dict[str, Any]] = field(default_factory=dict)
    landed: dict[str, bytes] = field(default_factory=dict)
    folders: set[str] = field(default_factory=lambda: {f"/Workspace/Users/{USER}"})
    files: dict[str, bytes] = field(default_factory=dict)
    notebooks: dict[str, bytes] = field(default_factory=dict)
    pipelines: dict[str, dict[str, Any]] = field(default_factory=dict)
    jobs: dict[int, dict[str, Any]] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    refuse: Callable[[str, str], Refused | None] = lambda method, path: None
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(1001))
    lock: Any = field(default_factory=threading.Lock)

    @property
    def writes(self) -> list[str]:
        return [f"{method} {path}" for method, path in self.requests if method != "GET"]

    def answer(self, method: str, path: str, query: dict[str, str], body: bytes, kind: str) -> Any:
        with self.lock:
            self.requests.append((method, path))
            if refused := self.refuse(method, path):
                raise refused
            for prefix, handle in ROUTES:
                if path.startswith(prefix):
                    return handle(self, method, path.removeprefix(prefix), query, body, kind)
            raise Refused(404, "ENDPOINT_NOT_FOUND", f"No API found for '{method} {path}'")


def strict(cls: Any, body: bytes) -> dict[str, Any]:
    """The body, if the SDK's type keeps all of it."""
    given = json.loads(body)
    back = cls.from_dict(given).as_dict()
    lost = {key: item for key, item in given.items() if back.get(key) != item}
    if lost:
        raise Refused(400, "INVALID_PARAMETER_VALUE", f"{cls.__name__} does not take {lost}")
    return given  # type: ignore[no-any-return]


def me(self: Workspace, method: str, rest: str, query: Any, body: bytes, kind: str) -> Any:
    return self.user


def catalogs(self: Workspace, method: str, rest: str, query: Any, body: bytes, kind: str) -> Any:
    if not rest:
        return {"catalogs": [{"name": name} for name in self.catalogs]}
    if rest[1:] not in self.catalogs:
        raise Refused(404, "CATALOG_DOES_NOT_EXIST", f"Catalog '{rest[1:]}' does not exist.")
    return {"name": rest[1:]}


def schemas(self: Workspace, method: str, rest: str, query: Any, body: bytes, kind: str) -> Any:
    if method == "POST":
        made = strict(SchemaInfo, body)
        assert made["catalog_name"] in self.catalogs
        return self.schemas.setdefault(f"{made['catalog_name']}.{made['name']}", made)
    return found(self.schemas, rest[1:])


def volumes(self: Workspace, method: str, rest: str, query: Any, body: bytes, kind: str) -> Any:
    if method == "POST":
        made = strict(VolumeInfo, body)
        found(self.schemas, schema := f"{made['catalog_name']}.{made['schema_name']}")
        return self.volumes.setdefault(f"{schema}.{made['name']}", made)
    return found(self.volumes, rest[1:])


def found(things: dict[Any, Any], key: Any) -> Any:
    if key not in things:
        raise missing(str(key))
    return things[key]


def workspace(self: Workspace, method: str, rest: str, query: dict[str, str], body: bytes, kind: str) -> Any:
    if rest == "export":
        return found(self.files, query["path"])
    if rest == "import":
        return put(self, form(body, kind))
    path = json.loads(body)["path"]
    if rest == "mkdirs":
        self.folders |= {path, *map(str, PurePosixPath(path).parents)}
    elif self.files.pop(path, None) is None and self.notebooks.pop(path, None) is None:
        raise missing(path)
    return {}


def put(self: Workspace, sent: dict[str, bytes]) -> Any:
    path = sent["path"].decode()
    assert (sent["format"], sent["overwrite"]) == (b"AUTO", b"true")
    if path.rpartition("/")[0] not in self.folders:
        raise missing(path.rpartition("/")[0])
    if path.endswith(".ipynb"):
        json.loads(sent["content"])
        self.notebooks[path.removesuffix(".ipynb")] = sent["content"]
    else:
        assert not sent["content"].startswith((b"# Databricks notebook source", b"-- Databricks notebook source"))
        self.files[path] = sent["content"]
    return {}


def form(body: bytes, kind: str) -> dict[str, bytes]:
    """The fields of a multipart form."""
    message = email.message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
    parts = [part for part in message.walk() if not part.is_multipart()]
    name = {id(part): str(part.get_param("name", header="content-disposition")) for part in parts}
    return {name[id(part)]: part.get_payload(decode=True) for part in parts}  # type: ignore[misc]


def directories(self: Workspace, method: str, rest: str, query: Any, body: bytes, kind: str) -> Any:
    folder = unquote(rest)
    if method == "PUT":
        in_volume(self, folder)
        self.folders.add(folder)
        return {}
    if folder not in self.folders:
        raise missing(folder)
    inside = {path: content for path, content in self.landed.items() if path.rpartition("/")[0] == folder}
    return {"contents": [{"path": path, "name": path.rpartition("/")[2], "is_directory": False,
                          "file_size": len(content)} for path, content in inside.items()]}  # fmt: skip


def upload(self: Workspace, method: str, rest: str, query: Any, body: bytes, kind: str) -> Any:
    path = unquote(rest)
    in_volume(self, path)
    if path.rpartition("/")[0] not in self.folders:
        raise missing(path.rpartition("/")[0])
    self.landed[path] = body
    return {}


def in_volume(self: Workspace, path: str) -> None:
    _, start, *name = path.split("/")[:5]
    assert start == "Volumes"
    found(self.volumes, ".".join(name))


def pipelines(self: Workspace, method: str, rest: str, query: dict[str, str], body: bytes, kind: str) -> Any:
    if method == "GET" and not rest:
        listed = [{"pipeline_id": key, "name": spec["name"]} for key, spec in self.pipelines.items()]
        return {"statuses": [each for each in listed if query["filter"] == f"name LIKE '{each['name']}'"]}
    if method == "GET":
        return {"pipeline_id": rest[1:], "spec": found(self.pipelines, rest[1:])}
    key = rest[1:] or f"0000-{next(self.ids)}"
    made = strict(PipelineSpec, body if method == "POST" else without(body, "pipeline_id"))
    found(self.schemas, f"{made['catalog']}.{made['schema']}")
    for library in made["libraries"]:
        folder = library["glob"]["include"].removesuffix("**")
        if not any(path.startswith(folder) for path in self.files):
            raise Refused(400, "INVALID_PARAMETER_VALUE", f"{folder} has no source")
    self.pipelines[key] = made
    return {"pipeline_id": key}


def without(body: bytes, name: str) -> bytes:
    return json.dumps({key: item for key, item in json.loads(body).items() if key != name}).encode()


def jobs(self: Workspace, method: str, rest: str, query: dict[str, str], body: bytes, kind: str) -> Any:
    if rest == "list":
        named = {key: job for key, job in self.jobs.items() if job["name"].lower() == query["name"].lower()}
        kept = ("name", "tags")
        return {"jobs": [{"job_id": key, "settings": {name: job[name] for name in kept if name in job}}
                         for key, job in named.items()]}  # fmt: skip
    if rest == "reset":
        sent = json.loads(body)
        found(self.jobs, sent["job_id"])
        self.jobs[sent["job_id"]] = runnable(self, strict(JobSettings, json.dumps(sent["new_settings"]).encode()))
        return {}
    assert rest == "create"
    key = next(self.ids)
    self.jobs[key] = runnable(self, strict(JobSettings, body))
    return {"job_id": key}


def runnable(self: Workspace, job: dict[str, Any]) -> dict[str, Any]:
    environments = {each["environment_key"] for each in job.get("environments", ())}
    clusters = {each["job_cluster_key"] for each in job.get("job_clusters", ())}
    for task in job["tasks"]:
        if "notebook_task" in task:
            found(self.notebooks, task["notebook_task"]["notebook_path"])
            compute = {task.get("environment_key"), task.get("job_cluster_key")} - {None}
            assert len(compute) == 1
            assert compute <= environments | clusters
        else:
            found(self.pipelines, task["pipeline_task"]["pipeline_id"])
    return job


ROUTES: list[tuple[str, Callable[..., Any]]] = [
    ("/api/2.0/preview/scim/v2/Me", me),
    ("/api/2.1/unity-catalog/catalogs", catalogs),
    ("/api/2.1/unity-catalog/schemas", schemas),
    ("/api/2.1/unity-catalog/volumes", volumes),
    ("/api/2.0/workspace/", workspace),
    ("/api/2.0/fs/directories", directories),
    ("/api/2.0/fs/files", upload),
    ("/api/2.0/pipelines", pipelines),
    ("/api/2.2/jobs/", jobs),
]


@contextmanager
def serving(state: Workspace) -> Iterator[Workspace]:
    """The workspace behind a port of 127.0.0.1, whose address it then has as `host`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # A request's head and body come in two packets, and so do an answer's.
        disable_nagle_algorithm = True

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def answer(self) -> None:
            address = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            query = {key: values[0] for key, values in parse_qs(address.query).items()}
            kind, status = self.headers.get("Content-Type") or "", 200
            try:
                if self.command == "HEAD":
                    said: Any = b""
                elif address.path == "/.well-known/databricks-config":
                    said = {}
                elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    raise Refused(401, "UNAUTHENTICATED", f"Not a token: {self.headers.get('Authorization')}")
                else:
                    said = state.answer(self.command, address.path, query, body, kind)
            except Refused as error:
                status, said = error.status, {"error_code": error.code, "message": str(error)}
            except Exception as error:
                status, said = 400, {"error_code": "BAD_REQUEST", "message": f"{self.command} {self.path}: {error!r}"}
            raw = isinstance(said, bytes)
            content = said if raw else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Content-Type", "application/octet-stream" if raw else "application/json")
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    state.host = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
