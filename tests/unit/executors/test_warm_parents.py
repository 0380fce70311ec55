"""What processes to fork from are told apart by."""

from workbench.executors.warm_parents import find_key


def test_what_libraries_read_at_import_tells_parents_apart_and_no_credential_is_kept():
    given = {
        "PANDAS_COPY_ON_WRITE": "1",
        "NUMBA_DISABLE_JIT": "1",
        "HF_HOME": "models",
        "HF_TOKEN": "a",
        "OTEL_EXPORTER_OTLP_HEADERS": "b",
        "MLFLOW_TRACKING_PASSWORD": "c",
        "MLFLOW_TRACKING_TOKEN": "d",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "9",
        "EDITOR": "vi",
    }
    told = dict(find_key((), given, ("MLFLOW_",)).variables)
    assert told.keys() == {"PANDAS_COPY_ON_WRITE", "NUMBA_DISABLE_JIT", "HF_HOME", "MLFLOW_HTTP_REQUEST_TIMEOUT"}
