"""What the workbench and its kernels write into outputs is the same at every execution; what a notebook says is not touched."""

from __future__ import annotations

import pytest

from workbench.executors.kernel_processes import ConnectionFolder
from workbench.notebooks.normalisation import NORMALISATIONS, OWN_NAMES, normalise

RUN, OTHER_RUN = "a1b2c3d4e5f6", "0f1e2d3c4b5a"
UUID, OTHER_UUID = "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "3f2504e0-4f89-11d3-9a0c-0305e82c3302"
ONE, OTHER = "/tmp/workbench-kernels-6870-qe3gyw2i/t-ogqg8fbs", "/run/user/7/workbench-kernels-16-uyamjah_/t-6tlpfdzc"
BAR = "\r  0%|          | 0/3 [00:00<?, ?it/s]"
INNER = "\n\r 50%|█████     | 10/20 [00:00<00:00, 98.75it/s]\x1b[A"
CLEARED = "\n\r                                               \x1b[A"
RECORD = "<RunInfo: end_time=None, run_id='{}', run_name='x', start_time={}, status='RUNNING'>"

PAIRS = [
    (OWN_NAMES, "stdout", f"kept in runs/{RUN}", f"kept in runs/{OTHER_RUN}"),
    ("temporary folder", "stdout", ONE, OTHER),
    ("temporary folder", "stdout", f"file:{ONE}/tmp7if8g1if/x", f"file:{OTHER}/tmpjhg7pwnh/x"),
    ("file of a cell", "stderr", f"{ONE}/ipykernel_6870/4.py:3: UserWarning", f"{OTHER}/ipykernel_16/5.py:3: UserWarning"),
    ("address in memory", "stdout", "<object object at 0x7f3a5c0d1e20>", "<object object at 0x7FFFB2C3D4E5>"),
    (
        "time of a log line of MLflow",
        "stderr",
        "a\n2026/11/30 04:27:57 WARNING mlflow.tracking: x",
        "a\n2026/12/01 14:28:04 WARNING mlflow.tracking: x",
    ),
    ("time in a record of MLflow", "stdout", RECORD.format(RUN, 1796012877436), RECORD.format(OTHER_RUN, 1796012884707)),
    ("measured time", "stdout", "CPU times: user 3 ms\nWall time: 4 ms", "CPU times: user 5 ms\nWall time: 6 ms"),
    (
        "measured time",
        "stdout",
        "739 ns ± 4.39 ns per loop (mean ± std. dev. of 2 runs, 10,000,000 loops each)",
        "The slowest run took 4.51 times longer than the fastest. This could mean that a result is cached.\n"
        "1min 5s ± 2.1 s per loop (mean ± std. dev. of 2 runs, 1 loop each)",
    ),
    ("progress bar", "stderr", f"{BAR}\r100%|█| 3/3 [00:00<00:00, 4.50it/s]\n", "\r100%|█| 3/3 [1:00:09<00:00,  7.5s/it]\n"),
    ("progress bar", "stderr", f"{BAR}{INNER}{INNER}{CLEARED}{BAR}\n", f"{BAR}{INNER}{CLEARED}\n"),
    ("progress bar", "stdout", f"{BAR}\r      \r", f"{BAR}{BAR}\r    \r"),
    ("name of a part", "text/html", '<b id="T_1a2b3_row1">', '<b id="T_ffe01_row1">'),
    ("name of a part", "text/html", f"<p id='{UUID}'>", f"<p id='{OTHER_UUID}'>"),
    ("name of a part", "image/svg+xml", 'id="imagebbfacd4cb9" url(#p64f9d665f9)', 'id="image45172a2d25" url(#p0123456789)'),
    (
        "name of a part",
        "application/vnd.jupyter.widget-view+json",
        f'{{"model_id": "{32 * "a"}", "version_major": 2}}',
        f'{{"model_id": "{32 * "b"}", "version_major": 2}}',
    ),
    ("date of a drawing", "image/svg+xml", "<dc:date>2026-01-01</dc:date>", "<dc:date>2026-01-02</dc:date>"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "kind", "then", "now"), PAIRS)
def test_what_every_execution_has_its_own_of_is_the_same_and_counted(name: str, kind: str, then: str, now: str) -> None:
    one, counts = normalise(f"cell 1 {kind}", then, [RUN])
    other, again = normalise(f"cell 1 {kind}", now, [OTHER_RUN])
    assert one == other
    assert counts[name] >= 1
    assert again[name] >= 1


def test_each_kind_of_thing_is_tried() -> None:
    assert {name for name, *_ in PAIRS} == {OWN_NAMES, *(each.name for each in NORMALISATIONS)}


def test_the_folders_that_kernels_really_get_are_known() -> None:
    folder = ConnectionFolder()
    try:
        said = f"{folder.new_folder()} {folder.new_folder()}/x {folder.new_file()}"
    finally:
        folder.remove()
    assert normalise("cell 1 stdout", said, ()) == ("/… /…/x /….json", {"temporary folder": 3})


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("stdout", "0x7f3a5c0d1e20"),
        ("stdout", "/tmp/results-16-uyamjah_/t-6tlpfdzc"),
        ("stdout", "it took 4.39 s per loop"),
        ("stdout", "2026/11/30 04:27:57 WARNING churn: x"),
        ("stdout", "timestamp=1796012877436"),
        ("stdout", "one\rtwo [1/3]\rthree"),
        ("stdout", "loss [0.25, 0.5]"),
        ("stdout", RUN),
        ("text/html", "<td>C1234567890</td><td>1234567890</td><td>T_1a2b3</td>"),
        ("text/html", f"<td>{UUID}</td>"),
        ("text/plain", f"'{UUID}'"),
    ],
)
def test_what_a_notebook_says_itself_stays(kind: str, said: str) -> None:
    assert normalise(f"cell 1 {kind}", said, [OTHER_RUN]) == (said, {})
