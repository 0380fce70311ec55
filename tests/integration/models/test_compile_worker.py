"""Compiling may take for ever or all memory, and the model is served all the same; who is ended takes its children along."""

import json
import os
import resource
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from workbench.models.compiler import compile_worker, onnx_compiler
from workbench.models.compiler.compile_worker import Compiler
from workbench.models.compiler.onnx_compiler import Form
from workbench.models.confinement import Limits
from workbench.models.inspection_child import Request

FIRST = Form("first", b"content" * 1000)


def forms_of(folder, monkeypatch, make, limits=None) -> list[Form]:
    """Compile with `make` in place of the converters; the worker is forked, and so has it too."""
    monkeypatch.setattr(onnx_compiler, "compile_forms", make)
    compiler = Compiler(lambda: (None, None), str(folder), limits or Limits())
    compiler.start()
    try:
        return list(compiler.forms())
    finally:
        compiler.stop()


def test_every_form_arrives_as_it_was_made(tmp_path, monkeypatch):
    made = [FIRST, Form("second", None, "no converter"), Form("third", b"\0" * 3_000_000)]
    assert forms_of(tmp_path, monkeypatch, lambda *_: iter(made)) == made


def test_compiling_that_does_not_end_is_given_up_and_what_was_made_before_stays(tmp_path, monkeypatch):
    def make(*_):
        yield FIRST
        while True:
            time.sleep(60)

    monkeypatch.setattr(compile_worker, "LONGEST_S", 1.0)
    first, given_up = forms_of(tmp_path, monkeypatch, make)
    assert first == FIRST
    assert (given_up.content, given_up.reason) == (None, "Compiling was given up after 1 s.")


def test_compiling_that_takes_more_memory_than_it_may_or_ends_its_process_is_told(tmp_path, monkeypatch):
    def take_memory(*_):
        yield FIRST
        yield Form("large", bytes(128 * 1024**2))

    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limits = Limits(memory_bytes=used + 64 * 1024**2)
    _, ended = forms_of(tmp_path, monkeypatch, take_memory, limits)
    assert "ended without an answer" in ended.reason

    def end(*_):
        yield FIRST
        os.kill(os.getpid(), signal.SIGKILL)

    _, ended = forms_of(tmp_path, monkeypatch, end)
    assert "ended without an answer" in ended.reason


def test_a_worker_can_do_no_harm(tmp_path, monkeypatch):
    def write(*_):
        (tmp_path.parent / "canary").write_text("x")
        yield FIRST

    inside = tmp_path / "inside"
    inside.mkdir()
    (ended,) = forms_of(inside, monkeypatch, write)
    assert ended.content is None
    assert not (tmp_path.parent / "canary").exists()


def is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def wait_until_gone(process: int) -> bool:
    deadline = time.monotonic() + 10
    while is_running(process) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not is_running(process)


def start(code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]
    )


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux ends children with their parents")
def test_a_worker_ends_with_whoever_started_it(tmp_path):
    parent = start(f"""
        import time
        from workbench.models.compiler import onnx_compiler
        from workbench.models.compiler.compile_worker import Compiler
        from workbench.models.confinement import Limits
        onnx_compiler.compile_forms = lambda *_: iter(lambda: time.sleep(60), None)
        compiler = Compiler(lambda: (None, None), {str(tmp_path)!r}, Limits())
        compiler.start()
        print(compiler._process, flush=True)
        time.sleep(60)
    """)
    with parent:
        worker = int(parent.stdout.readline())
        assert is_running(worker)
        parent.kill()
    assert wait_until_gone(worker)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux ends children with their parents")
def test_an_inspection_ends_with_whoever_started_it(tmp_path):
    os.mkfifo(tmp_path / "model.skops")  # nobody writes: whoever reads it waits
    names = ("contract", "features", "training", "scores", "output")
    places = {name: str(tmp_path / name) for name in names}
    asked = Request(
        **places,
        model=str(tmp_path / "model.skops"),
        largest_difference=1,
        largest_batch_difference=1,
        parent=0,
        limits=Limits(),
    )
    parent = start(f"""
        import json, os, subprocess, sys, time
        child = subprocess.Popen(
            [sys.executable, "-m", "workbench.models.inspection_child"], stdin=subprocess.PIPE, text=True, start_new_session=True
        )
        child.stdin.write(json.dumps({{**json.loads({json.dumps(json.dumps(asdict(asked)))}), "parent": os.getpid()}}))
        child.stdin.close()
        print(child.pid, flush=True)
        time.sleep(60)
    """)
    with parent:
        child = int(parent.stdout.readline())
        time.sleep(5)  # it reads its request, imports its libraries and waits for the model
        assert is_running(child)
        parent.kill()
    assert wait_until_gone(child)
