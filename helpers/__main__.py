"""`python3 -m helpers …`: look at the Python first, in syntax that an old one can read, then hand over to bootstrap."""

import subprocess
import sys

OLDEST = (3, 11)
NEWEST = (3, 14)
NEWER = ("python3.14", "python3.13", "python3.12", "python3.11")


def python_problem(version, executable, platform, runs):
    """Say why this Python cannot run Lakeprep and what to do, or return None; `runs` tries a command's name."""
    if platform == "win32":
        return "Lakeprep runs on Linux and macOS; on Windows, install WSL and run it there."
    if OLDEST <= tuple(version[:2]) <= NEWEST:
        return None
    have = "you have {}.{}.{} ({})".format(*version[:3], executable)
    if tuple(version[:2]) < OLDEST:
        problem = "Python {}.{} or newer is needed; {}.".format(*OLDEST, have)
    else:
        problem = "Python {}.{} is the newest that the packages are made for; {}.".format(*NEWEST, have)
    newer = next((name for name in NEWER if runs(name)), None)
    if newer:
        return f"{problem} This machine has {newer}: run `{newer} -m helpers study`."
    if platform == "darwin":
        return f"{problem} Install one with `brew install python@3.13`, then run `python3.13 -m helpers study`."
    install = "Install one with `sudo apt install python3.11 python3.11-venv`, or your system's own tool"
    return f"{problem} {install}, then run `python3.11 -m helpers study`."


def _runs(name):
    # A version manager may put a name on PATH that does not run.
    try:
        return subprocess.call([name, "-c", ""], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def _main():
    problem = python_problem(sys.version_info, sys.executable, sys.platform, _runs)
    if problem:
        sys.stderr.write(problem + "\n")
        return 1
    from helpers import bootstrap

    return bootstrap.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(_main())
