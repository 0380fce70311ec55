"""Limits: how sizes are read and said, what counts as used, and that the watch ends what passes and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import is_running, wait_until
from workbench.errors import UsageError
from workbench.executors import limit_watch
from workbench.executors.folder_usage import FolderMeter
from workbench.executors.limit_watch import LimitWatch, Watched
from workbench.executors.limits import Breach, Limits, format_size, is_size, parse_size
from workbench.executors.process_usage import Paced, ProcessTree, find_children, find_marked, read_memory

WAITS = "import time; time.sleep(90)"
TAKES = "taken = b'x' * 200_000_000; import time; time.sleep(90)"
STARTS = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {TAKES!r}]); {WAITS}"
LEAVES = (
    "import subprocess, sys;"
    f"subprocess.Popen([sys.executable, '-c', {TAKES!r}], start_new_session=True, stdout=subprocess.DEVNULL)"
)


@pytest.fixture
def watch() -> Iterator[LimitWatch]:
    """A watch of this test alone: no thread of another's is left before it, none of its own after it."""
    wait_until(lambda: limit_threads() == [])
    yield LimitWatch()
    wait_until(lambda: limit_threads() == [])


@pytest.fixture
def mark(tmp_path: Path) -> str:
    return f"WORKBENCH_SPOOL={tmp_path}"


@pytest.fixture
def start(mark: str) -> Iterator[Callable[[str], int]]:
    """Return what starts a program as leader of its own group, with the mark in its environment."""
    started: list[subprocess.Popen[bytes]] = []

    def start_program(code: str) -> int:
        name, _, value = mark.partition("=")
        environment = {**os.environ, name: value}
        started.append(subprocess.Popen([sys.executable, "-c", code], env=environment, start_new_session=True))
        return started[-1].pid

    yield start_program
    for pid in {*(each.pid for each in started), *find_marked([mark])[mark]}:
        if is_running(pid):
            os.kill(pid, signal.SIGKILL)
    for each in started:
        each.wait()


def limit_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "limits"]


@contextmanager
def left_over(watch: LimitWatch, folder: Path, limits: Limits) -> Iterator[Watched]:
    """Watch a process that has ended: only what is said about it counts."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
        with watch.over(ended.pid, "NAME=nobody", folder, limits) as watched:
            yield watched


# How sizes are read and said


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1b", 1),
        ("500MB", 500_000_000),
        ("500 mb", 500_000_000),
        (" 2GiB ", 2**31),
        ("0.29MB", 290_000),
        ("1.5kB", 1500),
        ("3TB", 3 * 10**12),
        ("7b", 7),
    ],
)
def test_a_size_is_a_number_with_a_unit(text: str, size: int) -> None:
    assert parse_size(text) == size
    assert is_size(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "0GB",
        "1",
        "500",
        "1048576",
        "0.0001b",
        "-1",
        "MB",
        "5M",
        "5i",
        "1e9",
        "٣MB",
        "1,5GB",
        "1..5GB",
        "nan",
        "9" * 16,
        "5MB\n1",
    ],
)
def test_everything_else_is_no_size(text: str) -> None:
    assert not is_size(text)
    with pytest.raises(UsageError, match="is no size"):
        parse_size(text)


@given(st.integers(1, 10**15))
def test_a_size_is_said_as_it_is_read_within_a_twentieth(size: int) -> None:
    said = format_size(size).replace("bytes", "b")
    assert parse_size(said) == pytest.approx(size, rel=0.05)


@pytest.mark.parametrize(
    ("breach", "said"),
    [
        (Breach("timeout", 5.13, 5), "The run took 5.1 s; --timeout allows 5 s. The kernel was ended."),
        (Breach("cell-timeout", 2.5, 2, 3), "A cell took 2.5 s (in cell 3); --cell-timeout allows 2 s."),
        (Breach("memory", 1.26e9, 3e8, 2), "used 1.3 GB (in cell 2); --memory allows 300 MB."),
        (Breach("memory", 300_000_001, 3e8), "used more than 300 MB; --memory allows 300 MB."),
        (Breach("output-size", 2e6, 1e6), "The cells' output came to 2 MB; --output-size allows 1 MB."),
        (Breach("disk", 512, 100), "The run's folder held 512 bytes; --disk allows 100 bytes."),
        (Breach("disk", 100_001, 100_000, counts_files=True), "held 100,001 files; --disk allows 100,000 files."),
    ],
)
def test_a_breach_says_which_limit_was_passed_by_how_much(breach: Breach, said: str) -> None:
    assert said in str(breach)


# What is counted


def test_the_memory_of_a_process_is_at_least_what_it_took(start: Callable[[str], int]) -> None:
    pid = start(TAKES)
    wait_until(lambda: read_memory(pid) > 200_000_000)
    assert read_memory(pid) < 400_000_000


def test_a_process_that_is_gone_uses_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    assert read_memory(ended.pid) == 0
    assert list(find_children(ended.pid)) == []


def test_memory_that_a_fork_shares_with_its_parent_counts_in_part(start: Callable[[str], int], mark: str) -> None:
    forks = f"import os; taken = b'x' * 200_000_000; os.fork(); os.fork(); {WAITS}"
    tree = ProcessTree(start(forks), mark)
    grow = lambda: tree.grow(time.monotonic()) or tree.measure_memory(0, time.monotonic())  # noqa: E731
    wait_until(lambda: len(find_marked([mark])[mark]) == 4 and grow() > 200_000_000)
    assert tree.measure_memory(300_000_000, time.monotonic() + 60) < 300_000_000


def test_a_file_counts_with_its_blocks_and_once(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "full").write_bytes(b"x" * 1_000_000)
    (tmp_path / "deep" / "another name").hardlink_to(tmp_path / "deep" / "er" / "full")
    (tmp_path / "to the machine").symlink_to("/")
    with (tmp_path / "hollow").open("wb") as file:
        file.truncate(10_000_000)
    use = FolderMeter([tmp_path]).count(60)
    assert use.is_complete
    assert use.entries == 6
    assert 1_000_000 <= use.bytes < 1_200_000


def test_a_walk_in_slices_counts_the_same(tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / str(number)).write_bytes(b"x" * 5_000)
    whole, slices = FolderMeter([tmp_path]).count(60), FolderMeter([tmp_path])
    uses = [slices.count(0) for _ in range(51)]
    assert uses[-1] == whole
    assert [use.entries for use in uses] == [*range(1, 51), 50]
    assert not slices.is_walking


def test_a_folder_that_is_gone_holds_nothing(tmp_path: Path) -> None:
    assert FolderMeter([tmp_path / "gone"]).count(60).bytes == 0


def test_what_is_dear_is_done_seldom_and_never_too_seldom() -> None:
    def spend_cpu() -> None:
        end = time.thread_time() + 0.05
        while time.thread_time() < end:
            pass

    cheap = Paced(lambda: None, least_s=1.0, most_s=4.0)
    dear = Paced(spend_cpu, least_s=1.0, most_s=4.0)
    cheap.run(100.0)
    dear.run(100.0)
    assert [cheap.is_due(now) for now in (100.9, 101.1)] == [False, True]
    assert [dear.is_due(now) for now in (103.9, 104.1)] == [False, True]


# What the watch ends


@pytest.mark.parametrize("program", [TAKES, STARTS, LEAVES], ids=["itself", "a child", "a stranger"])
def test_whoever_takes_the_memory_all_are_ended(
    watch: LimitWatch, start: Callable[[str], int], mark: str, tmp_path: Path, program: str
) -> None:
    with watch.over(start(program), mark, tmp_path, Limits(memory_bytes=150_000_000)) as watched:
        wait_until(lambda: watched.breach and not any(map(is_running, find_marked([mark])[mark])))
    assert watched.breach is not None
    assert watched.breach.limit == "memory"
    assert watched.breach.used > 150_000_000


def test_the_run_and_the_cell_have_a_clock_of_their_own(
    watch: LimitWatch, start: Callable[[str], int], mark: str, tmp_path: Path
) -> None:
    limits = Limits(timeout_s=3600, cell_timeout_s=0.3)
    with watch.over(start(WAITS), mark, tmp_path, limits) as watched:
        watched.start_cell(7)
        wait_until(lambda: watched.breach)
    assert watched.breach is not None
    assert (watched.breach.limit, watched.breach.cell) == ("cell-timeout", 7)


def test_between_cells_no_cell_takes_too_long(watch: LimitWatch, tmp_path: Path) -> None:
    with left_over(watch, tmp_path, Limits(timeout_s=0.5, cell_timeout_s=0.1)) as watched:
        watched.start_cell(1)
        watched.end_cell()
        wait_until(lambda: watched.breach)
    assert watched.breach is not None
    assert watched.breach.limit == "timeout"


def test_a_process_that_stands_still_is_ended(
    watch: LimitWatch, start: Callable[[str], int], mark: str, tmp_path: Path
) -> None:
    pid = start(f"import os, signal; os.kill(os.getpid(), signal.SIGSTOP); {WAITS}")
    with watch.over(pid, mark, tmp_path, Limits(timeout_s=0.3)) as watched:
        wait_until(lambda: watched.breach and not is_running(pid))


def test_too_much_output_ends_the_kernel_before_the_client_goes_on(
    watch: LimitWatch, start: Callable[[str], int], mark: str, tmp_path: Path
) -> None:
    pid = start(WAITS)
    with watch.over(pid, mark, tmp_path, Limits(output_bytes=1000)) as watched:
        watched.count_output(1000)
        assert watched.breach is None
        watched.count_output(1)
        assert watched.breach == Breach("output-size", 1001, 1000)
        wait_until(lambda: not is_running(pid))


def test_a_message_is_weighed_before_it_is_parsed_and_none_is_parsed_after_the_limit(
    watch: LimitWatch, tmp_path: Path
) -> None:
    parsed = []
    header = b'{"msg_id": "1", "msg_type": "%s"}'
    with left_over(watch, tmp_path, Limits(output_bytes=10_000)) as watched:
        receive = watched.weigh(lambda frames: parsed.append(frames) or {"parent_header": {"msg_id": "1"}})
        for kind, content in [
            (b"status", b"x" * 4000),
            (b"execute_input", b"x" * 4000),
            (b"stream", b"x" * 9000),
            (b"display_data", b""),
        ]:
            receive([b"signature", header % kind, b"{}", b"{}", content])
        assert watched.breach is None
        too_much = receive([b"signature", header % b"update_display_data", b"{}", b"{}", b"{}", b"x" * 1000])
    assert len(parsed) == 4
    assert too_much["parent_header"] == {}
    assert watched.breach is not None
    assert 10_000 < watched.breach.used < 11_000


def test_even_empty_messages_are_too_much_in_the_end(watch: LimitWatch, tmp_path: Path) -> None:
    with left_over(watch, tmp_path, Limits(output_bytes=10_000)) as watched:
        receive = watched.weigh(lambda frames: {})
        for _ in range(100):
            receive([b"", b'{"msg_type": "clear_output"}', b"", b"", b"{}"])
        assert watched.breach is not None


def test_what_is_on_disk_at_the_end_counts_even_if_it_came_at_the_last_moment(
    watch: LimitWatch, tmp_path: Path
) -> None:
    with left_over(watch, tmp_path, Limits(disk_bytes=100_000)) as watched:
        (tmp_path / "late").write_bytes(b"x" * 200_000)
    assert watched.breach is not None
    assert watched.breach.limit == "disk"


def test_the_folders_besides_count_too(watch: LimitWatch, tmp_path: Path) -> None:
    run, scratch = tmp_path / "run", tmp_path / "scratch"
    run.mkdir()
    scratch.mkdir()
    (scratch / "big").write_bytes(b"x" * 200_000)
    with watch.over(os.getpid() + 10**7, "NAME=nobody", run, Limits(disk_bytes=100_000), also=[scratch]) as watched:
        wait_until(lambda: watched.breach)


def test_a_file_that_is_deleted_and_held_open_counts(
    watch: LimitWatch, start: Callable[[str], int], mark: str, tmp_path: Path
) -> None:
    holds = f"import tempfile; f = tempfile.TemporaryFile(dir={str(tmp_path)!r}); f.write(b'x' * 500_000); f.flush(); {WAITS}"
    with watch.over(start(holds), mark, tmp_path, Limits(disk_bytes=200_000)) as watched:
        wait_until(lambda: watched.breach)
    assert list(tmp_path.iterdir()) == []


def test_too_many_files_are_too_much_however_small(
    watch: LimitWatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limit_watch, "MOST_FILES", 20)
    for number in range(21):
        (tmp_path / str(number)).touch()
    with left_over(watch, tmp_path, Limits(disk_bytes=10**9)) as watched:
        wait_until(lambda: watched.breach)
    assert watched.breach == Breach("disk", 21, 20, counts_files=True)


def test_only_the_first_limit_that_is_passed_is_kept(watch: LimitWatch, tmp_path: Path) -> None:
    with left_over(watch, tmp_path, Limits(output_bytes=10, timeout_s=0.1)) as watched:
        watched.count_output(11)
        watched.count_output(11)
        watched.sample(time.monotonic() + 60)
    assert watched.breach == Breach("output-size", 11, 10)


def test_a_neighbour_is_left_alone(watch: LimitWatch, start: Callable[[str], int], mark: str, tmp_path: Path) -> None:
    neighbour = subprocess.Popen([sys.executable, "-c", WAITS], start_new_session=True)
    try:
        with (
            watch.over(neighbour.pid, "NAME=neighbour", tmp_path, Limits(memory_bytes=10**9)) as beside,
            watch.over(start(TAKES), mark, tmp_path, Limits(memory_bytes=100_000_000)) as watched,
        ):
            wait_until(lambda: watched.breach)
        assert beside.breach is None
        assert neighbour.poll() is None
    finally:
        neighbour.kill()
        neighbour.wait()


def test_after_the_watch_is_over_nothing_is_ended(
    watch: LimitWatch, start: Callable[[str], int], mark: str, tmp_path: Path
) -> None:
    pid = start(WAITS)
    with watch.over(pid, mark, tmp_path, Limits(output_bytes=10)) as watched:
        pass
    watched.count_output(11)
    watched.sample(time.monotonic())
    assert watched.breach is None
    assert is_running(pid)


def test_when_nothing_runs_there_is_no_thread_and_the_next_kernel_gets_a_new_one(
    watch: LimitWatch, tmp_path: Path
) -> None:
    for _ in range(2):
        with left_over(watch, tmp_path, Limits(timeout_s=3600)):
            assert len(limit_threads()) == 1
        wait_until(lambda: limit_threads() == [])


def test_without_limits_there_is_no_thread_at_all(watch: LimitWatch, tmp_path: Path) -> None:
    with left_over(watch, tmp_path, Limits()):
        assert limit_threads() == []


def test_a_program_that_is_watched_is_the_first_to_go_when_memory_runs_out(
    watch: LimitWatch, start: Callable[[str], int], mark: str, tmp_path: Path
) -> None:
    pid = start(WAITS)
    with watch.over(pid, mark, tmp_path, Limits()):
        own = int(Path("/proc/self/oom_score_adj").read_text(encoding="ascii"))
        assert int(Path(f"/proc/{pid}/oom_score_adj").read_text(encoding="ascii")) > own
