"""Only `store/durable.py` touches the file system: what it does not do, a test that counts its calls cannot see."""

import ast
from collections.abc import Iterator
from pathlib import Path

import latebloom

SOURCE = Path(latebloom.__file__).parent
DOOR = "store/durable.py"

ALLOWED: dict[str, dict[str, str]] = {
    # "folder/file.py": {"call": "the reason why this one may"}
    "datasets/course_pickle.py": {
        "pickle": "another program's pickles, only read, and nothing that they name is called",
        ".open": "the same",
    },
    "datasets/fetch.py": {
        ".mkdir": "the cache of data sets, which is no store",
        ".write_bytes": "the cache of data sets",
        ".unlink": "the cache of data sets",
        ".open": "an address and an archive in memory",
    },
    "datasets/linear_codes.py": {
        ".mkdir": "a data set, where the user says",
        ".iterdir": "the same",
        ".touch": "the same",
        ".write_bytes": "the same",
        ".read_bytes": "the same, only read",
        "np.load": "the same, only read and without pickle",
    },
    "datasets/matrices.py": {".open": "a matrix, only read", "np.load": "a matrix, only read and without pickle"},
    "datasets/mnist.py": {".open": "a data set, only read", "np.load": "a data set, only read and without pickle"},
    "detect/forecast.py": {".read_text": "inside the package"},
    "detect/monitor.py": {".write_text": "a report, where the user says; detect does not know the store"},
    "engine/device.py": {".read_text": "the processor's name, from /proc; engine does not know the store"},
    "engine/foreign.py": {
        "torch.load": "another program's checkpoint, only read and as weights only",
        "safe_open": "another program's weights, only read, one tensor at a time",
        "safetensors.safe_open": "the same",
    },
    "integrations/outlet.py": {"os.write": "a pipe: what became of the readings"},
    "lab/companion.py": {
        "tempfile": "the last words of a process",
        "os.read": "the pipe of a process",
        "os.write": "the pipe of a process",
    },
    "lab/engines/local.py": {"os.read": "the pipe of the process that starts workers"},
    "lab/engines/nursery.py": {
        "os.open": "/dev/null, for a worker's standard streams",
        "os.read": "pipes: jobs, and what workers report",
        "os.write": "pipes: jobs, and what workers report",
    },
    "lab/engines/ray_driver.py": {"tempfile": "a private cluster's own files", "os.write": "a pipe: reports"},
    "lab/torch_log.py": {"torch.load": "another program's curves, only read and as weights only"},
    "report/figures/picture.py": {".savefig": "draws into memory"},
    "recipes/__init__.py": {".read_text": "inside the package", ".iterdir": "inside the package"},
    "spec/recipe.py": {".open": "a recipe, only read; spec does not know the store"},
}

PATH_METHODS = {
    *("write_text", "write_bytes", "read_text", "read_bytes", "touch", "mkdir", "rmdir", "unlink", "rename", "chmod"),
    *("symlink_to", "hardlink_to", "iterdir", "rglob", "truncate", "savefig", "tofile", "fdopen"),
}
OS_CALLS = {
    *("open", "write", "pwrite", "read", "pread", "rename", "renames", "replace", "remove", "unlink", "rmdir", "mkdir"),
    *("makedirs", "removedirs", "truncate", "ftruncate", "fsync", "fdatasync", "link", "symlink", "listdir", "scandir"),
    *("walk", "stat", "lstat", "mkfifo", "chmod", "sendfile"),
}
MODULES = {"shutil", "tempfile", "fcntl", "mmap", "glob", "sqlite3", "pickle", "shelve"}
WRITERS = {"torch": {"save", "load"}, "numpy": {"save", "savez", "savez_compressed", "savetxt", "load"}}
WRITERS |= {"np": WRITERS["numpy"], "io": {"open", "open_code", "FileIO"}, "safetensors": {"save_file", "safe_open"}}


def touches(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The line and name of each call or import that can reach the file system."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names if alias.name.split(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom):
            module = (node.module or "").split(".")[0] if not node.level else ""
            forbidden = {"os": OS_CALLS, **WRITERS}.get(module, set())
            yield from (
                (node.lineno, f"{module}.{a.name}") for a in node.names if module in MODULES or a.name in forbidden
            )
            yield from ((node.lineno, a.name) for a in node.names if a.name in ("save_file", "safe_open", "load_file"))
        elif isinstance(node, ast.Call):
            match node.func:
                case ast.Name("open"):
                    yield node.lineno, "open"
                case ast.Attribute(ast.Name(owner), name) if name in {"os": OS_CALLS, **WRITERS}.get(owner, set()):
                    yield node.lineno, f"{owner}.{name}"
                case ast.Attribute(ast.Name("durable"), _):
                    pass
                case ast.Attribute(_, name) if name in PATH_METHODS:
                    yield node.lineno, f".{name}"
                case ast.Attribute(_, "open") if not node.args or isinstance(node.args[0], ast.Constant):
                    yield node.lineno, ".open"  # path.open(), path.open("w"); not store.open(run_id)


def test_no_other_module_touches_the_file_system() -> None:
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        if name == DOOR:
            continue
        found += [
            f"{name}:{line} {call}"
            for line, call in touches(ast.parse(path.read_text()))
            if call not in ALLOWED.get(name, {})
        ]
    assert not found, "go through latebloom.store.durable, or say in ALLOWED why not:\n" + "\n".join(found)


def test_every_exception_is_still_needed() -> None:
    for name, calls in ALLOWED.items():
        found = {call for _, call in touches(ast.parse((SOURCE / name).read_text()))}
        assert set(calls) <= found, f"{name} no longer calls {set(calls) - found}"


def test_the_door_itself_would_be_found() -> None:
    """Control."""
    found = {call for _, call in touches(ast.parse((SOURCE / DOOR).read_text()))}
    assert {"os.open", "os.fsync", "os.write", "open", ".unlink", ".mkdir", ".rename", "fcntl"} <= found
    for text in (
        "open('x', 'w')",
        "Path('x').write_text('')",
        "path.open()",
        "path.open('rb')",
        "os.replace(a, b)",
        "import shutil",
        "from os import rename",
        "torch.save(x, f)",
        "figure.savefig('x')",
        "from safetensors.torch import save_file",
        "np.savez(f)",
    ):
        assert list(touches(ast.parse(text))), text


def test_every_call_in_the_door_is_announced() -> None:
    """Each real operation sits in a `with _doing(...)`, so that the harness sees it."""
    tree = ast.parse((SOURCE / DOOR).read_text())
    announced = {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.With) and any("_doing" in ast.unparse(item.context_expr) for item in node.items)
        for line in range(node.lineno, (node.end_lineno or 0) + 1)
    }
    # closing releases only; these two run inside a `with _doing` of their callers
    inner = {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name in ("_opened", "_write_all", "_regular")
        for line in range(node.lineno, (node.end_lineno or 0) + 1)
    }
    silent = [
        f"{line} {call}"
        for line, call in touches(tree)
        if line not in announced | inner and not call.startswith("fcntl")
    ]
    assert silent == []
