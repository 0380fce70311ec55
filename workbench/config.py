"""Settings: where things are and who is at work; the only reader of TOML and environment.

Each setting is a key of `[tool.workbench]` in the project's pyproject.toml (or of workbench.toml), and the environment variable
`WORKBENCH_<KEY>` overrides it. Paths are relative to the project folder: the nearest one above with a `workbench.toml`, a
`pyproject.toml` that has the table, `.git`, or runs kept in it; else the current folder. Those that trust hangs on are absolute in
the environment.
"""

from __future__ import annotations

import getpass
import os
import re
import socket
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from workbench.errors import NotFound, UsageError
from workbench.executors.limits import Limits, is_size, parse_size
from workbench.files.git import ask_git
from workbench.records.people import require_principal

PREFIX = "WORKBENCH_"
MARKER = "workbench.toml"
METRICS_TABLE = "metrics"  # no setting: a table for each metric of the project's own
_KEPT = Path("runs", "workbench.db")
# What the workbench itself says to the kernels it starts; not a setting.
_OWN_VARIABLES = frozenset({"SPOOL", "SUBJECT", "PROJECT"})
# Whom to trust, what was seen and by which rules: said in the environment, it must not mean another file in each project.
TRUST_PATHS = ("home", "allowed_signers", "checkpoints", "policy")
Count = int
Size = str


@dataclass(frozen=True)
class Settings:
    """Everything that can be set; empty text means the default in the comment beside it.

    `jobs` notebooks run at a time, by the `executor` (with `dask`: where `scheduler` says), each attempt within `timeout_s`
    seconds, each cell within `cell_timeout_s`, and within the `memory`, `output_size` and `disk` given; a run whose kernel died
    is tried `retries` times more. The values of the environment variables in `secret_names` are kept out of whatever is
    recorded. `least_principals` people must have approved whatever this machine serves, and it answers requests for
    `allowed_hosts`. No endpoint takes a text of more than `longest_text` characters. What warm kernels are forked from is kept for
    `kernels_kept_min` minutes after it was last used (0: for one command). Who is told when runs end say the settings `notify` and
    `notify_*`: a command, an address; always where that took `notify_after_s` seconds (0: only where it is asked for). Lists have
    commas between.
    """

    project: Path
    home: str = "runs"
    tracking_uri: str = ""  # sqlite below home
    store_url: str = ""  # sqlite below home
    checkpoints: str = ""  # workbench/checkpoints in the XDG state directory
    author: str = ""  # git's user.email
    policy: str = "standard"
    allowed_signers: str = ""  # trust/allowed_signers below home
    jobs: int = 2
    executor: str = "local"
    scheduler: str = ""  # with executor dask: workers started on this machine
    timeout_s: int = 86_400
    cell_timeout_s: int = 86_400
    memory: Size = ""  # four fifths of this machine's
    output_size: Size = "100MB"
    disk: Size = "10GB"
    retries: Count = 0
    secret_names: str = ""  # those that look like one
    least_principals: int = 2
    allowed_hosts: str = ""  # 127.0.0.1, localhost
    longest_text: int = 100_000
    kernels_kept_min: Count = 10
    notify: str = ""  # no command
    notify_after_s: Count = 0  # only where it is asked for
    notify_mail_to: str = ""  # nobody
    notify_mail_from: str = ""  # user@host
    notify_mail_host: str = ""  # localhost:25
    notify_mail_user: str = ""  # not logged in
    notify_mail_password: str = ""

    @property
    def home_folder(self) -> Path:
        """The only place written to by default."""
        return self.project / expand_path(self.home)

    @property
    def runs_folder(self) -> Path:
        """One folder a run."""
        return self.home_folder / "by-id"

    @property
    def attempts_folder(self) -> Path:
        """What attempts left that did not finish, when another one of the same run was made."""
        return self.home_folder / "attempts"

    @property
    def sweeps_folder(self) -> Path:
        """One folder a sweep: its plan."""
        return self.home_folder / "sweeps"

    @property
    def secret_variables(self) -> tuple[str, ...]:
        """The environment variables that hold secrets besides those whose names look so."""
        return tuple(name for part in self.secret_names.split(",") if (name := part.strip()))

    @property
    def limits(self) -> Limits:
        """What one attempt may use."""
        return Limits(
            timeout_s=self.timeout_s,
            cell_timeout_s=self.cell_timeout_s,
            memory_bytes=parse_size(self.memory) if self.memory else _most_memory_bytes(),
            output_bytes=parse_size(self.output_size) if self.output_size else None,
            disk_bytes=parse_size(self.disk) if self.disk else None,
        )

    @property
    def drafts_folder(self) -> Path:
        """One folder a draft."""
        return self.home_folder / "drafts"

    @property
    def models_folder(self) -> Path:
        """One folder a nominee: model name, then version."""
        return self.home_folder / "models"

    @property
    def bento_home(self) -> Path:
        """Where releases are built; BentoML's own store layout."""
        return self.home_folder / "bentos"

    @property
    def signers_file(self) -> Path:
        """The trust root: who may sign as what (ssh-keygen's allowed-signers format)."""
        given = self.allowed_signers
        return self.project / expand_path(given) if given else self.home_folder / "trust" / "allowed_signers"

    @property
    def store_address(self) -> str:
        """Where attempts and the ledger live, as an SQLAlchemy URL."""
        return self.store_url or _sqlite_address(self.home_folder / "workbench.db")

    @property
    def checkpoints_folder(self) -> Path:
        """Where this machine remembers what it saw of each ledger: outside of home, so that a copy put back is noticed."""
        return (
            self.project / expand_path(self.checkpoints)
            if self.checkpoints
            else _state_folder() / "workbench" / "checkpoints"
        )

    @property
    def tracking_address(self) -> str:
        """Where MLflow records."""
        return self.tracking_uri or _sqlite_address(self.home_folder / "mlflow.db")

    @property
    def artifacts_folder(self) -> Path:
        """Where MLflow keeps files when it records into SQLite here."""
        return self.home_folder / "mlflow-artifacts"

    @cached_property
    def acting_author(self) -> str:
        """The principal that runs and nominates: the setting, else git's user.email, else user@host.

        Raises UsageError for one who could not be a principal: nobody could tell whether they approve their own run.
        """
        given = self.author or ask_git(self.project, "config", "user.email")
        return require_principal(given or f"{getpass.getuser()}@{socket.gethostname()}")


def _state_folder() -> Path:
    state = Path(os.environ.get("XDG_STATE_HOME") or expand_path("~/.local/state"))
    if state.is_absolute():
        return state
    raise UsageError(
        f"What was seen of ledgers cannot be remembered in {state}.",
        why="It is a relative path, which would be another place in each project.",
        next_step="Set XDG_STATE_HOME or WORKBENCH_CHECKPOINTS to a whole path.",
    )


def _most_memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 4 // 5


def expand_path(given: str | Path) -> Path:
    """Return a path with its `~` resolved; raises UsageError when there is no such user, or no path can be so."""
    if "\0" in str(given):
        raise UsageError(f"{str(given)!r} is no path.", why="It holds a character no path can have.")
    try:
        return Path(given).expanduser()
    except RuntimeError as exc:
        step = "Name a user that exists after the ~, or write a path."
        raise UsageError(f"There is no folder {given}.", why=str(exc), next_step=step) from exc


def _sqlite_address(path: Path) -> str:
    """Return the address of an SQLite database; what has a meaning in an address (`?`, `%`) is escaped."""
    return "sqlite:///" + str(path).replace("%", "%25").replace("?", "%3F")


def read_settings(folder: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings that hold in a folder (default: the current one).

    Raises UsageError listing every unknown key and wrong value.
    """
    here = (folder or Path.cwd()).resolve()
    project, table = _locate_project(here) or (here, {})
    told = _read_environment(os.environ if environment is None else environment)
    given = {**{key: value for key, value in table.items() if key != METRICS_TABLE}, **told}
    kinds = {field.name: field.type for field in fields(Settings) if field.name != "project"}
    problems = [f"{key!r} is no setting; there are {', '.join(sorted(kinds))}." for key in given if key not in kinds]
    problems += [
        f"{key} is {value!r}, not {_KINDS[kinds[key]]}."
        for key, value in given.items()
        if key in kinds and not _fits(kinds[key], value)
    ]
    problems += _find_moving(told)
    if problems:
        raise UsageError(
            "The settings cannot be used.",
            why=sorted(problems),
            next_step=f"Correct [tool.workbench] in {project} or the variables {PREFIX}*.",
        )
    values: dict[str, Any] = {key: int(v) if kinds[key] in _NUMBERS else v for key, v in given.items()}
    return Settings(project, **values)


def read_metrics_table(project: Path) -> dict[str, Any]:
    """Return what a project says of metrics of its own, by name; nobody has judged it."""
    table = (_read_table(project) or {}).get(METRICS_TABLE, {})
    return table if isinstance(table, dict) else {METRICS_TABLE: table}


def override_settings(settings: Settings, overrides: Mapping[str, Any]) -> Settings:
    """Return the settings with those that are not None replaced; raises UsageError listing every wrong value."""
    given = {key: value for key, value in overrides.items() if value is not None}
    kinds = {field.name: field.type for field in fields(Settings)}
    problems = [
        f"--{key.removesuffix('_s').replace('_', '-')} is {value!r}, not {_KINDS[kinds[key]]}."
        for key, value in given.items()
        if not _fits(kinds[key], value)
    ]
    if problems:
        raise UsageError("The options cannot be used.", why=sorted(problems))
    return replace(settings, **given)


_KINDS: Mapping[Any, str] = {
    "int": "a whole number above 0",
    "Count": "a whole number",
    "Size": "a size such as 500MB or 2GB",
    "str": "a text on one line",
}
_NUMBERS = {"int": re.compile(r"0*[1-9][0-9]{0,5}"), "Count": re.compile(r"[0-9]{1,4}")}


def _fits(kind: Any, value: Any) -> bool:
    if kind in _NUMBERS:
        return not isinstance(value, bool) and _NUMBERS[kind].fullmatch(str(value)) is not None
    if kind == "Size":
        return isinstance(value, str) and (not value or is_size(value))
    return isinstance(value, str) and value.isprintable()


def _find_moving(told: Mapping[str, str]) -> list[str]:
    """Return what is wrong with paths in the environment that trust hangs on; a policy's bare name is that of a template."""
    paths = {
        key: told[key] for key in TRUST_PATHS if key in told and not (key == "policy" and is_shipped_name(told[key]))
    }
    return [
        f"{PREFIX}{key.upper()} is {path!r}, which would be another place in each project: write the whole path."
        for key, path in paths.items()
        if not path.startswith("~") and not Path(path).is_absolute()
    ]


def find_project(folder: Path) -> Path | None:
    """Return the project a folder lies in: itself or the nearest one above; None where there is none."""
    found = _locate_project(folder)
    return found[0] if found else None


def _locate_project(folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """Return the project with its table of settings."""
    for candidate in (folder, *folder.parents):
        table = _read_table(candidate)
        if table is not None or any((candidate / mark).exists() for mark in (".git", _KEPT)):
            return candidate, table or {}
    return None


def is_marked(folder: Path) -> bool:
    """True where a folder itself says that it is a project of the workbench, and is no mere repository."""
    return _read_table(folder) is not None


def is_home_given() -> bool:
    """True where the environment says where all is kept, whatever project that is."""
    return bool(_read_environment(os.environ).get("home"))


def find_project_of(notebook_folder: Path, here: Path) -> Path | None:
    """Return the project a notebook is run in: the one it lies in, or that of the current folder.

    The latter where that is marked as one of the workbench and the former is a mere repository, or none.
    """
    beside, current = find_project(notebook_folder), find_project(here)
    is_ours = beside is not None and is_marked(beside)
    return current if current and is_marked(current) and not is_ours else beside or current


def _read_table(folder: Path) -> dict[str, Any] | None:
    own, shared = folder / MARKER, folder / "pyproject.toml"
    if own.is_file():
        return _parse_toml(own)
    tool = _parse_toml(shared).get("tool", {}) if shared.is_file() else {}
    table = tool.get("workbench") if isinstance(tool, dict) else None
    if table is None or isinstance(table, dict):
        return table
    raise UsageError(f"{shared} cannot be read.", why="[tool.workbench] must be a table of settings.")


def _parse_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError, OSError) as exc:
        step = "Correct the file; `workbench help workflow` lists the settings."
        raise UsageError(f"{path} cannot be read.", why=str(exc), next_step=step) from exc


def _read_environment(environment: Mapping[str, str]) -> dict[str, str]:
    found = {key.removeprefix(PREFIX): value for key, value in environment.items() if key.startswith(PREFIX) and value}
    return {key.lower(): value for key, value in found.items() if key not in _OWN_VARIABLES}


def kernel_environment(*, spool: Path, project: Path, tracking: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a run's kernel: ours without the workbench's settings, plus where to log."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)}
    return {**inherited, f"{PREFIX}SPOOL": str(spool), f"{PREFIX}PROJECT": str(project), **tracking}


def settings_variables(settings: Settings) -> dict[str, str]:
    """Return the environment in which another process in the project's folder reads these settings."""
    given = {field.name: getattr(settings, field.name) for field in fields(Settings) if field.name != "project"}
    told = {f"{PREFIX}{name.upper()}": str(value) for name, value in given.items() if value != ""}
    policy = {} if is_shipped_name(settings.policy) else {"POLICY": settings.project / expand_path(settings.policy)}
    paths = {
        "HOME": settings.home_folder,
        "ALLOWED_SIGNERS": settings.signers_file,
        "CHECKPOINTS": settings.checkpoints_folder,
    }
    return told | {f"{PREFIX}{name}": str(path) for name, path in {**paths, **policy}.items()}


def serving_variables(settings: Settings) -> dict[str, str]:
    """Return what a served process must be told from outside of the release: whom to trust, and whom to answer."""
    trust = {
        f"{PREFIX}ALLOWED_SIGNERS": str(settings.signers_file.resolve()),
        f"{PREFIX}LEAST_PRINCIPALS": str(settings.least_principals),
    }
    return {**trust, f"{PREFIX}ALLOWED_HOSTS": settings.allowed_hosts} if settings.allowed_hosts else trust


def is_shipped_name(name: str) -> bool:
    """True for a bare name, which means one of `templates/` and never a file."""
    return re.fullmatch(r"[\w-]{1,100}", name) is not None


def find_template(*parts: str) -> Path:
    """Return a file of `templates/`: of the checkout, or of the installed package."""
    package = Path(__file__).parent
    roots = [root for root in (package.parent / "templates", package / "templates") if root.is_dir()]
    found = [path for root in roots if (path := root.joinpath(*parts)).exists() and _is_within(path, root)]
    if not found:
        known = sorted({path.stem for root in roots for path in root.joinpath(*parts[:-1]).glob("*.*")})
        there = f"There is no template {'/'.join(parts)}; there are: {', '.join(known) or 'none'}."
        raise NotFound(there, next_step="Name one of these, or a file.")
    return found[0]


def _is_within(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def find_bentofile() -> Path:
    """Return bentofile.yaml: of the checkout, or of the installed package."""
    package = Path(__file__).parent
    checkout = package.parent / "bentofile.yaml"
    return checkout if checkout.is_file() else package / "templates" / "bentofile.yaml"


def find_notebook(name: str) -> Path:
    """Return one of the example notebooks: of the checkout, or of the installed package."""
    package = Path(__file__).parent
    checkout = package.parent / "notebooks" / name
    return checkout if checkout.is_file() else find_template("notebooks", name)
