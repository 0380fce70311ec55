"""Modules that do nothing but write down that they were imported, by the names of those a process of ours imports."""

from __future__ import annotations

from pathlib import Path

# What servers, kernels and commands import, of the standard library too, and the files Python and Jupyter look for by themselves.
MODULES = (
    *(
        "IPython",
        "anywidget",
        "bentoml",
        "click",
        "distributed",
        "fastapi",
        "ipykernel",
        "ipykernel_launcher",
        "ipywidgets",
    ),
    *(
        "jupyter_client",
        "jupyter_server",
        "jupyterlab",
        "mlflow",
        "numpy",
        "onnxruntime",
        "pandas",
        "papermill",
        "pyarrow",
    ),
    *("rich", "sitecustomize", "sklearn", "skops", "sqlalchemy", "starlette", "tornado", "traitlets", "usercustomize"),
    *("uvicorn", "voila", "workbench", "yaml", "zmq"),
    *("json", "logging", "multiprocessing", "random", "secrets", "socket", "tempfile", "tomllib", "typing"),
    *(
        "jupyter_config",
        "jupyter_lab_config",
        "jupyter_server_config",
        "ipython_config",
        "ipython_kernel_config",
        "voila_config",
    ),
)


def lay_canaries(folder: Path) -> Path:
    """Put one of each name into a folder and return the file in which those that were imported are named: it is not there yet."""
    heard = folder.with_name(f"{folder.name}.imported")
    for name in MODULES:
        code = f"with open({str(heard)!r}, 'a') as heard:\n    heard.write({name!r} + '\\n')\nraise SystemExit('a canary')\n"
        (folder / f"{name}.py").write_text(code, encoding="utf-8")
    return heard
