"""dbutils.fs on local files and on volumes, which never leads out of a volume nor into what only Databricks has."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.jobs import get_dbutils
from helpers.jobs.values import ExecutionError, FileInfo, NotEmulated, PathNotSupported
from helpers.runtime.places import REPO_ROOT, Places

VOLUME = "/Volumes/main/shop/landing"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path.resolve() / "home")


@pytest.fixture
def fs(places: Places):
    return get_dbutils({"LAKEPREP_HOME": str(places.root)}).fs


def test_a_volume_is_its_folder_in_the_home_whatever_the_catalog(fs, places, capsys):
    assert fs.put(f"{VOLUME}/day/a.csv", "é\n1\n") is True
    assert capsys.readouterr().out == "Wrote 5 bytes.\n"
    kept = places.volume("shop", "landing") / "day" / "a.csv"
    assert kept.read_text() == "é\n1\n"
    for path in (f"dbfs:{VOLUME}/day", "/Volumes/other/shop/landing/x/../day/", f"file:{VOLUME}/day"):
        (found,) = fs.ls(path)
        assert (found.name, found.size) == ("a.csv", 5)
    assert fs.ls(VOLUME) == [FileInfo(f"dbfs:{VOLUME}/day/", "day/", 0, int(kept.parent.stat().st_mtime * 1000))]
    (folder,) = fs.ls(VOLUME)
    assert folder.isDir()
    assert fs.ls(folder.path)[0].path == f"dbfs:{VOLUME}/day/a.csv"
    assert fs.ls(f"{VOLUME}/day/a.csv")[0].isFile()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (f"{VOLUME}/../../../secret", "leads out of the volume main.shop.landing"),
        (f"dbfs:{VOLUME}/a/../../b", "leads out of the volume"),
        ("/Volumes/main/../../etc/passwd", r"has the form /Volumes/<catalog>/<schema>/<volume>"),
        ("/Volumes/main/shop", "has the form /Volumes/"),
        (f"{VOLUME}/link/x", "leads out of the volume"),
        ("dbfs:/tmp/x", "the DBFS root and mounts are deprecated"),
        ("/mnt/lake", "the DBFS root and mounts are deprecated, and are not here; use a volume, /Volumes/"),
        ("/dbfs/Volumes/main/shop/landing", "deprecated"),
        ("s3://bucket/x", "s3 is not reached from here; bring the files into a volume"),
        ("notes.txt", "Path must be absolute: notes.txt"),
    ],
)
def test_a_path_that_leads_out_or_nowhere_is_refused_with_the_reason(fs, places, path, said):
    root = places.volume("shop", "landing")
    root.mkdir(parents=True)
    (root / "link").symlink_to(places.root.parent)
    for call in (fs.ls, fs.head, fs.mkdirs, fs.rm, lambda name: fs.put(name, "x"), lambda name: fs.cp(VOLUME, name)):
        with pytest.raises(PathNotSupported, match=said):
            call(path)
    assert sorted(places.volumes.rglob("*")) == [root.parent, root, root / "link"]


def test_files_and_folders_are_copied_moved_and_removed(fs, places, tmp_path):
    fs.put(f"{VOLUME}/in/a", "1")
    fs.put(f"{VOLUME}/in/deep/b", "2")
    local = f"file:{tmp_path}/out"
    assert fs.cp(f"{VOLUME}/in", local, recurse=True) is True
    assert sorted(one.name for one in fs.ls(local)) == ["a", "deep/"]
    assert fs.mkdirs(f"{VOLUME}/taken") is True
    assert fs.mv(f"{tmp_path}/out/a", f"{VOLUME}/taken") is True
    assert not (tmp_path / "out" / "a").exists()
    assert fs.cp(f"{local}/deep/b", f"{VOLUME}/taken/a") is True
    assert fs.head(f"{VOLUME}/taken/a") == "2"
    assert fs.rm(f"{local}/nothing") is False
    assert fs.rm(local, True) is True
    assert not (tmp_path / "out").exists()
    assert fs.mv(f"{VOLUME}/in", "/Volumes/main/shop/archive", True) is True
    assert (places.volume("shop", "archive") / "deep" / "b").read_text() == "2"
    assert [one.name for one in fs.ls(VOLUME)] == ["taken/"]


def test_what_cannot_be_done_says_so_with_the_name_of_databricks_own_error(fs, tmp_path, capsys):
    fs.put(f"{tmp_path}/in/a", "12345")
    for path, call in {
        "FileNotFoundException: No such file or directory file:/": lambda: fs.ls(f"{tmp_path}/gone"),
        "FileAlreadyExistsException: file:/": lambda: fs.put(f"{tmp_path}/in/a", "2"),
        "a folder that is not empty; pass recurse=True": lambda: fs.rm(f"{tmp_path}/in"),
        "in is a folder; pass recurse=True": lambda: fs.cp(f"{tmp_path}/in", f"{tmp_path}/b"),
        "are the same file": lambda: fs.mv(f"{tmp_path}/in/a", f"{tmp_path}/in"),
        "in itself": lambda: fs.mv(f"{tmp_path}/in", f"{tmp_path}/in/deep", True),
        "a file is in the way": lambda: fs.mkdirs(f"{tmp_path}/in/a/b"),
        "in is a folder; name a file": lambda: fs.head(f"{tmp_path}/in"),
    }.items():
        with pytest.raises(ExecutionError, match=path):
            call()
    assert fs.put(f"{tmp_path}/in/a", "67890", overwrite=True)
    capsys.readouterr()
    assert fs.head(f"{tmp_path}/in/a", 2) == "67"
    assert capsys.readouterr().out == "[Truncated to first 2 bytes]\n"


def test_what_a_laptop_cannot_lose_is_not_removed(fs, places, monkeypatch):
    # Should the refusal ever be missing, this test removes nothing all the same.
    for name in ("rmtree", "copytree", "copyfile"):
        monkeypatch.setattr(f"shutil.{name}", lambda *_, **__: pytest.fail("it was going to be removed"))
    places.volumes.mkdir(parents=True)
    for path in ("/", str(Path.home()), str(REPO_ROOT), str(Path.cwd().parent), str(places.root), "file:/../"):
        for remove in (lambda name: fs.rm(name, True), lambda name: fs.mv(name, "/tmp/lakeprep-never", True)):
            with pytest.raises(ExecutionError, match="is not removed here"):
                remove(path)
    assert places.volumes.is_dir()


def test_help_shows_what_is_here_and_a_mount_says_what_to_use(fs, capsys):
    fs.help("cp")
    assert capsys.readouterr().out == (
        "dbutils.fs\n"
        "  cp(source, dest, recurse=False): Copy a file, or with recurse what is in a folder; what is there already is "
        "replaced.\n"
    )
    get_dbutils({}).help()
    shown = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0].strip() for line in shown] == ["dbutils", "fs", "jobs", "notebook", "secrets", "widgets"]
    with pytest.raises(NotEmulated, match=r"dbutils\.fs\.mount .* mounts are deprecated: use a volume"):
        fs.mount("s3a://x", "/mnt/x")
    with pytest.raises(NotEmulated, match=r"dbutils\.fs\.cpp exists on Databricks only; here dbutils\.fs has ls, cp"):
        fs.help("cpp")
