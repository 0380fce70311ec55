"""Sees, inside of a kernel, which code runs from local files, which files are read and written, and writes each down at once.

Sent to the kernel as text before its first cell, so that it needs nothing there but Python's standard library. What it sees it
sees as a courtesy: code in the same process can keep it from seeing, or write something else.
"""

# Text of one file, for kernels of other Pythons too: paths are text, and nothing is imported that is not everywhere.
# ruff: noqa: PTH100, PTH109, PTH110, PTH111, PTH113, PTH116, PTH118, PTH119, PTH120, PTH123, PTH207

from __future__ import annotations

import hashlib
import json
import os
import re
import site
import stat
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator
from glob import escape as glob_escape
from glob import glob
from importlib import _bootstrap_external
from importlib.machinery import SourceFileLoader
from typing import Any

END = "workbench.end"
# A line each in the journal; of more is only said how many there were.
MOST_CODE, MOST_READ, MOST_WRITTEN = 10_000, 200, 200
LONGEST_SOURCE, MOST_SOURCE = 262_144, 4_194_304
_WRITES = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
_CHANGES = _WRITES | os.O_RDWR
_SCRIPTS = (".py", ".ipy", ".ipynb", ".sh", ".pyc")
# What git and our own kernels keep, wherever that is.
_INSIDE = re.compile(r"/\.git/|/workbench-kernels-")
_WORDS = re.compile(r"[\s;|&<>()'\"=]+")
OWN_NAMES = ("workbench.toml", "pyproject.toml", "pyvenv.cfg")
_OF_THE_SYSTEM = (
    "/bin",
    "/dev",
    "/etc",
    "/lib",
    "/lib64",
    "/proc",
    "/run",
    "/sbin",
    "/snap",
    "/sys",
    "/usr",
    "/var/lib",
)


class Witness:
    """What a kernel runs and reads, written to `journal`, a line of JSON each; `roots` are the project and the notebook's folder.

    `own` are the workbench's folders: nothing in them is told.
    """

    def __init__(self, journal: str, roots: Iterable[str], own: Iterable[str]) -> None:
        self._journal = journal
        self._roots = _below(roots)
        self._installed = _below(_find_installed(self._roots))
        quiet = [*_OF_THE_SYSTEM, sys.prefix, sys.base_prefix, os.environ.get("TMPDIR")]
        self._quiet = (*_below(quiet), os.path.join(os.path.expanduser("~"), "."))
        self._own = _below([os.path.dirname(journal), *own])
        self._modules = frozenset(sys.modules)
        self._known_code: set[str | tuple[str, int, int]] = set()
        self._known_reads: set[str] = set()
        self._written: set[str] = set()
        # Of each file that is told whether it was only added to.
        self._known_writes: dict[str, bool] = {}
        self._counts, self._lost, self._source_left = {"code": 0, "read": 0, "written": 0}, 0, MOST_SOURCE
        self._is_compiled_from_source = False
        self._handlers: dict[str, Callable[..., None]] = {
            "open": self._note_open,
            "exec": self._note_exec,
            "import": lambda _, file, *__: self._note_code(file),
            "os.rename": self._note_rename,
            "sqlite3.connect": self._note_database,
            "subprocess.Popen": self._note_program,
            "os.exec": self._note_program,
            "os.posix_spawn": self._note_program,
            "os.system": self._note_program,
            END: self._end,
        }

    def start(self) -> None:
        """Note what ran already, and listen from now on; there is no way to stop."""
        self._write({"begin": sys.version.split()[0]})
        # A package's modules lie with it; a forked process gets a copy of the memory of whatever it looks at.
        self._note_modules(name for name in self._modules if "." not in name)
        for file in _find_startup_files():
            self._note_code(file)
        _compile_from_source(self._may_be_compiled)
        self._is_compiled_from_source = True
        find = self._handlers.get

        def hear(event: str, arguments: tuple[Any, ...]) -> None:
            handler = find(event)
            if handler is not None:
                try:
                    handler(*arguments)
                except Exception:  # whatever is noted, the notebook's own call goes on
                    self._lost += 1

        sys.addaudithook(hear)

    def _end(self) -> None:
        self._note_modules(name for name in list(sys.modules) if name not in self._modules)
        more = {kind: self._counts[kind] - most for kind, most in (("code", MOST_CODE), ("read", MOST_READ))}
        self._write(
            {"end": True, "lost": self._lost, **{f"more_{kind}": max(count, 0) for kind, count in more.items()}}
        )

    # Code

    def _note_exec(self, code: Any) -> None:
        self._note_code(getattr(code, "co_filename", None))

    def _note_modules(self, names: Iterable[str]) -> None:
        for name in names:
            module = sys.modules.get(name)
            if isinstance(module, _MODULE):
                # Not asked in the usual way: a lazy module would import what it stands for.
                file = object.__getattribute__(module, "__dict__").get("__file__")
                if isinstance(file, str) and os.path.abspath(file) not in self._known_code:
                    # Of the user, and of no environment, wherever it lies.
                    self._note_code(file, wherever=name == "usercustomize")

    def _note_code(self, file: Any, *, wherever: bool = False) -> None:
        """Note a file that code came from, once in each of its states; an archive stands for what is in it."""
        if not isinstance(file, str) or file.startswith("<"):
            return
        if file.startswith(self._installed) and not wherever:
            return  # as almost all are; the disk need not be asked
        path = _find_file(os.path.abspath(file))
        if path is None or path.startswith(self._own) or (self._is_installed(path) and not wherever):
            return
        found = os.stat(path)
        state = (path, found.st_size, found.st_mtime_ns)
        if state not in self._known_code:
            self._known_code |= {os.path.abspath(file), path, state}
            self._keep_code(path)

    def _keep_code(self, path: str) -> None:
        self._counts["code"] += 1
        if self._counts["code"] > MOST_CODE:
            return
        digest, source = self._read_code(path)
        self._write({"code": path, "digest": digest, "source": source})

    def _read_code(self, path: str) -> tuple[str | None, str | None]:
        """Return the digest of a file as it is now, and its text where that is short enough to be read by people."""
        try:
            with open(path, "rb") as file:
                content = file.read()
        except OSError:
            return None, None
        if not self._is_compiled_from_source and not _is_compiled_from(path, content):
            return None, None
        digest, source = hashlib.sha256(content).hexdigest(), None
        if len(content) <= min(LONGEST_SOURCE, self._source_left):
            try:
                source = content.decode()
                self._source_left -= len(content)
            except UnicodeDecodeError:
                pass
        return digest, source

    def _note_program(self, program: Any, arguments: Any = (), folder: Any = None, *_: Any) -> None:
        """Note the scripts that another program is started with."""
        texts = [program, *(arguments if isinstance(arguments, (list, tuple)) else [arguments])]
        for text in texts:
            if isinstance(text, (str, bytes, os.PathLike)):
                for word in _WORDS.split(os.fsdecode(text)):
                    if word.endswith(_SCRIPTS):
                        self._note_code(os.path.join(folder if isinstance(folder, str) else os.getcwd(), word))

    # Files

    def _note_open(self, path: Any, _mode: Any, flags: int) -> None:
        if path in self._known_reads and not flags & _CHANGES:
            return
        if not isinstance(path, (str, bytes, os.PathLike)):
            return
        file = os.path.abspath(os.fsdecode(path))
        if flags & _CHANGES:
            self._note_write(file, bool(flags & os.O_APPEND))
        if flags & _WRITES:
            self._written.add(file)
        elif file.endswith(".pyc"):
            self._note_code(file)
        elif file not in self._written:
            self._note_read(file)

    def _note_write(self, file: str, is_appended: bool) -> None:
        """Note a file that is opened to write, and once more when it is not only added to any more; of very many the first."""
        known = self._known_writes.get(file)
        if known is None:
            if self._counts["written"] >= MOST_WRITTEN:
                return
            is_told = not file.endswith(".pyc") and not self._is_quiet(file)
        elif known and not is_appended:
            is_told = True
        else:
            return
        # What is not told at first never is.
        self._known_writes[file] = is_told and is_appended
        if is_told:
            self._counts["written"] += 1
            self._write({"written": file, "appended": is_appended})

    def _note_rename(self, _source: Any, target: Any, _from: int, into: int) -> None:
        # Below a folder that only a number names nobody knows where it is.
        if into == -1 and isinstance(target, (str, bytes, os.PathLike)):
            self._note_write(os.path.abspath(os.fsdecode(target)), False)

    def _note_database(self, database: Any, *_: Any) -> None:
        if isinstance(database, (str, bytes, os.PathLike)):
            name = os.fsdecode(database)
            self._note_read(os.path.abspath(name[5:].partition("?")[0] if name.startswith("file:") else name))

    def _note_read(self, file: str) -> None:
        if file in self._known_reads:
            return
        if self._is_quiet(file):
            self._known_reads.add(file)
            return
        if file.endswith(_SCRIPTS):
            self._note_code(file)
            return
        try:
            found = os.stat(file)
        except OSError:
            return  # the notebook will hear that it is not there
        if stat.S_ISREG(found.st_mode):
            self._known_reads.add(file)
            self._counts["read"] += 1
            if self._counts["read"] <= MOST_READ:
                self._write({"read": file, "bytes": found.st_size, "mtime_ns": found.st_mtime_ns})

    def _is_quiet(self, file: str) -> bool:
        """True for what is read of packages, the system, caches, settings and the workbench itself, not of the project."""
        if file.startswith(self._own) or _INSIDE.search(file):
            return True
        is_below = file.startswith(self._roots)
        if not is_below and file.startswith(self._quiet):
            return True  # and the disk need not be asked
        return self._is_installed(file) or (is_below and os.path.basename(file) in OWN_NAMES)

    def _may_be_compiled(self, cached: str) -> bool:
        return os.path.abspath(cached).startswith((*self._installed, *self._own))

    def _is_installed(self, file: str) -> bool:
        return file.startswith(self._installed) or os.path.realpath(file).startswith(self._installed)

    def _write(self, line: dict[str, Any]) -> None:
        # Whole or not at all, also from a process that was forked off; a file name is whatever bytes somebody gave it.
        content = json.dumps(line).encode("ascii") + b"\n"
        journal = os.open(self._journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(journal, content)
        finally:
            os.close(journal)


_MODULE = type(sys)


def _below(folders: Iterable[str | None]) -> tuple[str, ...]:
    found = {each for folder in folders if folder for each in (os.path.abspath(folder), os.path.realpath(folder))}
    return tuple(sorted(folder.rstrip("/") + "/" for folder in found if folder != "/"))


def _compile_from_source(may_be_compiled: Callable[[str], bool]) -> None:
    """Have Python compile each module from its source, but where its bytecode may lie: that can be of another text, unseen."""
    find = _bootstrap_external.cache_from_source

    def find_compiled(*arguments: Any, **options: Any) -> str:
        cached = find(*arguments, **options)
        if may_be_compiled(cached):
            return cached
        raise NotImplementedError  # by which Python knows that there is none, and writes none

    _bootstrap_external.cache_from_source = find_compiled


def _is_compiled_from(path: str, content: bytes) -> bool:
    """True where what Python has compiled of a module, and ran, is what its source says."""
    try:
        if not os.path.exists(_bootstrap_external.cache_from_source(path)):
            return True
        return bool(SourceFileLoader("", path).get_code("") == compile(content, path, "exec", dont_inherit=True))
    except Exception:  # whatever it is: nobody can tell
        return False


def _find_installed(roots: tuple[str, ...]) -> list[str]:
    paths = sysconfig.get_paths()
    folders = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    personal = [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    # Those of PYTHONPATH, and of another environment that a .pth file of this one names.
    given = [entry for entry in sys.path if is_of_packages(entry, roots)]
    # What packages install beside their modules, such as templates that are compiled when they are used.
    shared = os.path.join(paths["data"], "share", "jupyter")
    return [*folders, *site.getsitepackages(), *personal, *given, shared]


def is_of_packages(folder: str, roots: Iterable[str]) -> bool:
    """True for a folder that an installer filled, outside of the project; by its name anybody can call one so."""
    folder = os.path.abspath(folder)
    if os.path.basename(folder) not in ("site-packages", "dist-packages"):
        return False
    is_filled = any(glob(os.path.join(glob_escape(folder), name)) for name in ("*.dist-info", "*.egg-info"))
    return is_filled and not f"{os.path.realpath(folder)}/".startswith(_below(roots))


def _find_file(path: str) -> str | None:
    """Return the file a path is, or leads into; None when there is none."""
    while not os.path.lexists(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    return path if os.path.isfile(path) else None


def _find_startup_files() -> Iterator[str]:
    """Yield what IPython ran on its own account: its settings and start-up files of this machine."""
    known = getattr(sys.modules.get("IPython.core.application"), "__dict__", {})
    for folder in (*known.get("ENV_CONFIG_DIRS", ()), *known.get("SYSTEM_CONFIG_DIRS", ())):
        for name in ("startup/*.py", "startup/*.ipy", "ipython_config.py", "ipython_kernel_config.py"):
            yield from sorted(glob(os.path.join(folder, name)))


def put_on_path(folders: str) -> None:
    """Look for modules in these folders as Python does that was started with them in PYTHONPATH."""
    os.environ["PYTHONPATH"] = folders
    entries = [os.path.abspath(each) for each in folders.split(os.pathsep)]
    others = [entry for entry in sys.path if entry not in entries]
    first = 1 if others[:1] == [""] else 0
    sys.path[:] = list(dict.fromkeys([*others[:first], *entries, *others[first:]]))


def watch(journal: str, roots: Iterable[str], own: Iterable[str], path: str | None) -> None:
    """Watch this process from now on; `path` is the PYTHONPATH it was not started with, None when it was."""
    if path is not None:
        put_on_path(path)
    Witness(journal, roots, own).start()
