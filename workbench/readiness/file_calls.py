"""Which calls read and write files, which file that is, and which reach the network."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from workbench.readiness.notebook_code import Call, NotebookCode

# By full name: these read the file that is their first argument.
_READERS = re.compile(
    r"(pandas|polars|geopandas|dask\.dataframe|cudf|modin\.pandas|pyreadr|awkward)\.(read|scan)_(?!sql|clipboard|gbq|html)\w+"
    r"|polars\.(read|scan)_\w+|numpy\.(load|loadtxt|genfromtxt|fromfile)|joblib\.load|torch\.load"
    r"|pyarrow\.(parquet|feather|csv|json)\.(read_\w+|ParquetFile)|scipy\.io\.(loadmat|wavfile\.read|arff\.loadarff)"
    r"|xarray\.(open|load)_(dataset|dataarray)|h5py\.File|cv2\.imread|PIL\.Image\.open|imageio\.\w*imread|skimage\.io\.imread"
    r"|matplotlib\.(pyplot|image)\.imread|librosa\.load|soundfile\.read|sklearn\.datasets\.load_(svmlight_file|files)"
    r"|(io\.|gzip\.|bz2\.|lzma\.)?open|zipfile\.ZipFile|tarfile\.open"
)  # fmt: skip
_PATH_READERS = frozenset({"read_text", "read_bytes", "open"})
_OPENERS = re.compile(r"((io\.|gzip\.|bz2\.|lzma\.)?open|zipfile\.ZipFile|tarfile\.open|h5py\.File)")
_WRITERS = re.compile(
    r"(to_(csv|parquet|pickle|json|excel|feather|hdf|markdown|html|latex|stata|xml|file)|save\w*|dump|tofile|imsave|imwrite"
    r"|write\w*|memmap|mkdir|makedirs|urlretrieve|download\w*|extract\w*|copy\w*|move|rename|touch|symlink\w*|unpack_archive)"
)  # fmt: skip
# What people write results with; of `dump` and `save` the method alone says too little.
_RESULTS = re.compile(
    r"to_(csv|parquet|pickle|json|excel|feather|html|latex|markdown)|savefig|imsave|write_(image|html)|save_model"
)
_FILE = re.compile(r"\.\w{1,10}$")
_RESULT_CALLS = re.compile(r"joblib\.dump|numpy\.(save|savez|savez_compressed|savetxt)|torch\.save")
_URL = re.compile(r"(?:https?|s3|gs|gcs|ftps?|hf|abfss?|az)://", re.IGNORECASE)
# These fetch, wherever they find it.
_FETCHERS = re.compile(
    r"sklearn\.datasets\.fetch_\w+|seaborn\.load_dataset|(keras|tensorflow\.keras)\.(datasets\.\w+\.load_data|utils\.get_file)"
    r"|tensorflow_datasets\.load|datasets\.load_dataset|openml\.\w+\.get_\w+|kagglehub\.\w+|ucimlrepo\.fetch_ucirepo"
    r"|statsmodels\.(api\.)?datasets\.get_rdataset|nltk\.download|gdown\.download|wget\.download|yfinance\.download"
    r"|huggingface_hub\.\w*download|torch\.hub\.load\w*|catboost\.datasets\.\w+|shap\.datasets\.\w+|vega_datasets\.data\.\w+"
)  # fmt: skip
_CALLERS = re.compile(
    r"(requests|httpx)\.(get|post|put|head|request)|urllib\.request\.(urlopen|urlretrieve|Request)"
    r"|(keras|tensorflow\.keras)\.utils\.get_file"
)
_FETCHING_COMMANDS = re.compile(
    r"(?:^|[;&|\n])\s*(?:sudo\s+)?(wget|curl|git\s+clone|kaggle|aws\s+s3|gsutil|gdown|dvc\s+pull)\b"
)

_FILE_MAGICS = frozenset({"file", "writefile"})
_UNSEEN_MAGICS = frozenset({"!", "bash", "cd", "run", "script", "sh"})


@dataclass(frozen=True)
class FileRead:
    """A call that reads a file that the notebook names; `path` is as it stands there."""

    call: Call
    path: str


def read_files(code: NotebookCode) -> Iterator[FileRead]:
    """Yield the files a notebook reads under names that can be told from its text, addresses left out."""
    for call in code.calls:
        path = _path_of(code, call)
        if path and not is_address(path) and not _writes(code, call):
            yield FileRead(call, path)


def _path_of(code: NotebookCode, call: Call) -> str | None:
    if call.name and _READERS.fullmatch(call.name):
        return code.text_of(call.node.args[0] if call.node.args else _first_named(call.node))
    function = call.node.func
    if isinstance(function, ast.Attribute) and function.attr in _PATH_READERS and call.name is None:
        return code.text_of(function.value)
    return None


def _first_named(node: ast.Call) -> ast.expr | None:
    known = ("filepath_or_buffer", "path", "file", "filename", "io", "path_or_buf", "source", "fp", "f")
    return next((each.value for each in node.keywords if each.arg in known), None)


def _writes(code: NotebookCode, call: Call) -> bool:
    """Whether a file is opened to write, or in a way that nobody can tell."""
    is_method = call.name is None
    if not is_method and not _OPENERS.fullmatch(call.name or ""):
        return False
    if is_method and call.method != "open":
        return False
    mode = call.argument("mode", 0 if is_method else 1)
    said = "r" if mode is None else code.text_of(mode)
    return said is None or any(letter in said for letter in "wax+")


def is_address(text: str) -> bool:
    """Whether a text names something in the network, or of a database."""
    return bool(_URL.match(text)) or "://" in text


def list_made_files(code: NotebookCode) -> set[str]:
    """Return the names of files and folders that a notebook may make itself."""
    reads = {read.call.node for read in read_files(code)}
    named = {
        text
        for call in code.calls
        if call.node not in reads and (_WRITERS.fullmatch(call.method) or _opens(call))
        for node in (*call.node.args, *(each.value for each in call.node.keywords), *_receiver(call))
        if (text := code.text_of(node)) is not None
    }
    named |= {magic.rest.split()[-1] for _, magic in code.magics if magic.name in _FILE_MAGICS and magic.rest.split()}
    return named | {f"{name}{ending}" for name in named for ending in (".npy", ".npz")}  # as NumPy completes them


def list_results(code: NotebookCode) -> Iterator[tuple[Call, str]]:
    """Yield the calls that write a result under a name that is the same in every run, as far as the text tells, with that name."""
    for call in code.calls:
        if _RESULTS.fullmatch(call.method) or _RESULT_CALLS.fullmatch(call.name or ""):
            for node in (*call.node.args, *(each.value for each in call.node.keywords)):
                path = code.text_of(node)
                if path and _FILE.search(path) and not is_address(path) and not _is_set_outside(code, node):
                    yield call, path
                    break


def _is_set_outside(code: NotebookCode, node: ast.AST) -> bool:
    named = {each.id for each in code.trace_back([node]) if isinstance(each, ast.Name)}
    return any(each.name in named for each in code.parameters)


def _opens(call: Call) -> bool:
    return call.method == "open" or bool(_OPENERS.fullmatch(call.name or ""))


def _receiver(call: Call) -> tuple[ast.expr, ...]:
    return (call.node.func.value,) if isinstance(call.node.func, ast.Attribute) else ()


def makes_unseen_files(code: NotebookCode) -> bool:
    """Whether files may be made, or the folder changed, in a way that the text does not tell."""
    told = any(magic.name in _UNSEEN_MAGICS for _, magic in code.magics)
    names = re.compile(r"(os\.(system|chdir)|subprocess\.\w+|\w+\.unpack_archive)|IPython\.\w*get_ipython")
    methods = re.compile(r"extract\w*|unpack_archive|download\w*|run_line_magic|snapshot_download|system|untar|unzip")
    return told or any(names.fullmatch(call.name or "") or methods.fullmatch(call.method) for call in code.calls)


def find_fetching(code: NotebookCode) -> Iterator[tuple[Call, str]]:
    """Yield the calls that reach the network, with what they ask for, as far as the text tells."""
    for call in code.calls:
        if call.name and _FETCHERS.fullmatch(call.name):
            yield call, call.name.partition(".")[0]
        elif _asks_hub(code, call) or _downloads(code, call):
            yield call, "a hub of models and data"
        elif call.name and (_READERS.fullmatch(call.name) or _CALLERS.fullmatch(call.name)) and call.node.args:
            texts = [code.text_of(each) for each in code.trace_name(call.node.args[0])]
            if address := next((text for text in texts if text and _URL.match(text) and not _is_here(text)), None):
                yield call, address.split("/")[2]


def _asks_hub(code: NotebookCode, call: Call) -> bool:
    if call.method != "from_pretrained":
        return False
    name = code.text_of(call.node.args[0]) if call.node.args else None
    return (
        not (name and name.startswith((".", "/", "~")))
        and code.constant_of(call.argument("local_files_only")) is not True
    )


def _downloads(code: NotebookCode, call: Call) -> bool:
    return (call.name or "").startswith(("torchvision.", "torchtext.", "torchaudio.")) and (
        code.constant_of(call.argument("download")) is True
    )


def _is_here(text: str) -> bool:
    return bool(re.match(r"\w+://(?:localhost|127\.0\.0\.1|\[::1\])(?:[:/]|$)", text))


def fetches(commands: str) -> str | None:
    """Return the command by which a shell fetches something, None where it does not."""
    found = _FETCHING_COMMANDS.search(commands)
    return found[1] if found else None
