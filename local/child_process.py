"""The first code of every process that the stack starts: it ends when the stack ends in any way.

    python -P child_process.py module [arguments …]

Standard input is a pipe whose other end only the parent holds; when it closes, the parent has ended. For functions
(LAMBDA_TASK_ROOT is set) only the interpreter's own libraries, the task's folder and its layers stay on the path, as in
Lambda.
"""

import importlib.util
import os
import runpy
import sys
import threading
from pathlib import Path


def end_with_parent() -> None:
    """Watch the pipe on standard input in a separate thread; replace it by /dev/null."""
    pipe = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)

    def watch() -> None:
        while os.read(pipe, 1):
            pass
        os._exit(0)

    threading.Thread(target=watch, daemon=True, name="end-with-parent").start()


def narrow_path() -> None:
    """Remove development tools from the path, so that only the task and its layers can be imported, as in Lambda."""
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    own = tuple(str(Path(prefix)) + os.sep for prefix in {sys.prefix, sys.base_prefix, sys.exec_prefix})
    sys.path[:] = [entry for entry in sys.path if entry in given or entry.startswith(own)]


def provide_client() -> None:
    """Give awslambdaric a client of the standard library if it has no native one, which is built only on Linux."""
    if importlib.util.find_spec("runtime_client") is not None and "LOCAL_PLAIN_CLIENT" not in os.environ:
        return
    spec = importlib.util.spec_from_file_location("runtime_client", Path(__file__).with_name("plain_client.py"))
    if spec is None or spec.loader is None:
        raise ImportError("plain_client.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["runtime_client"] = module
    spec.loader.exec_module(module)


if __name__ == "__main__":
    end_with_parent()
    if "LAMBDA_TASK_ROOT" in os.environ:
        narrow_path()
        provide_client()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
