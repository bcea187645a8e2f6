"""One instance of a function: a child process in the real runtime client, used for one invocation at a time."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from local import layer_links
from local.resources import Account, Function
from local.runtime import Failure, Invocation, RuntimeApi

CHILD = Path(__file__).with_name("child_process.py")
INIT_SECONDS_MAX = 60.0
PASSED_ON = (
    "PATH",
    "HOME",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "AWS_CA_BUNDLE",
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The surroundings that all instances share: the folder of logs, the account, and overriding variables."""

    account: Account
    logs: Path
    aws: Mapping[str, str]
    variables: Mapping[str, str]


class Instance:
    """A process with the function's loaded code. `cold_seconds` is the duration of loading, until first reported."""

    def __init__(self, function: Function, opt_folder: Path, surroundings: Surroundings) -> None:
        self.function = function
        self.stale = False
        self.idle_since = 0.0
        self.cold_seconds: float | None = None
        self._opt = opt_folder
        self._surroundings = surroundings
        self._api = RuntimeApi()
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int | None:
        """The process, once started."""
        return self._process.pid if self._process else None

    async def start(self) -> Failure | None:
        """Start the process and wait until its code is loaded. Returns the failure, if there is one."""
        began = time.perf_counter()
        try:
            await self._api.start()
            await self._spawn()
        except OSError as error:
            await self._api.stop()
            return Failure("Runtime.StartError", f"The function's process could not be started: {error}")
        self._watch = asyncio.create_task(self._watch_process())
        try:
            async with asyncio.timeout(INIT_SECONDS_MAX):
                failure = await asyncio.shield(self._api.ready)
        except TimeoutError:
            failure = Failure("Sandbox.Timedout", f"Init did not finish in {INIT_SECONDS_MAX:.0f} seconds.")
        if failure is not None:
            await self.stop()
            return failure
        self.cold_seconds = time.perf_counter() - began
        return None

    async def invoke(self, event: bytes, request_id: str, trace_id: str) -> bytes | Failure:
        """Run the handler with one event, within the function's time-out."""
        seconds = self.function.timeout_seconds
        invocation = Invocation(request_id, event, self.function.invoked_arn, time.time() + seconds, trace_id)
        answer = self._api.begin(invocation)
        if not self.alive:
            self._api.fail(self._exit_failure())
        try:
            async with asyncio.timeout(seconds):
                result = await answer
        except TimeoutError:
            result = Failure("Sandbox.Timedout", f"Task timed out after {seconds:.2f} seconds")
            await self.stop()
        if isinstance(result, Failure) and result.kind.startswith(("Sandbox.", "Runtime.ExitError")):
            return Failure(result.kind, f"RequestId: {request_id} Error: {result.message}")
        return result

    async def stop(self) -> None:
        """End the process, and all processes that it started, at once."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()
        if self._watch is not None:
            await self._watch
        await self._api.stop()

    async def _spawn(self) -> None:
        with (self._surroundings.logs / f"{self.function.title}.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                str(CHILD),
                "awslambdaric",
                self.function.handler,
                cwd=self.function.code,
                env=self._environment(),
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def _watch_process(self) -> None:
        process = self._process
        if process is None:
            return
        await process.wait()
        if process.stdin is not None:
            process.stdin.close()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # processes that the handler may have started
        self._api.fail(self._exit_failure())

    def _exit_failure(self) -> Failure:
        code = self._process.returncode if self._process else None
        if code is not None and code < 0:
            with contextlib.suppress(ValueError):
                name = signal.Signals(-code).name
                return Failure("Runtime.ExitError", f"Runtime exited with error: signal: {name}")
        return Failure("Runtime.ExitError", f"Runtime exited with error: exit status {code}")

    def _environment(self) -> dict[str, str]:
        function, around = self.function, self._surroundings
        version = "{}.{}".format(*sys.version_info[:2])
        stream = f"{datetime.now(UTC):%Y/%m/%d}/[{'1' if function.alias else '$LATEST'}]{uuid4().hex}"
        lambda_own = {
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_megabytes),
            "AWS_LAMBDA_FUNCTION_VERSION": "1" if function.alias else "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": stream,
            "AWS_LAMBDA_LOG_FORMAT": function.log_format,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{version}",
            "AWS_SAM_LOCAL": "true",
            "AWS_XRAY_SDK_ENABLED": "false",
            "POWERTOOLS_TRACE_DISABLED": "true",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PYTHONUNBUFFERED": "1",
            "_HANDLER": function.handler,
        }
        if function.log_level:
            lambda_own["AWS_LAMBDA_LOG_LEVEL"] = function.log_level
        template = {**layer_links.rewrite(function.environment, self._opt), **around.variables}
        path = [str(function.code), *layer_links.python_path(self._opt)]
        if "PYTHONPATH" in template:
            path.append(template.pop("PYTHONPATH"))
        return {
            **{name: os.environ[name] for name in PASSED_ON if name in os.environ},
            **lambda_own,
            "AWS_REGION": around.account.region,
            "AWS_DEFAULT_REGION": around.account.region,
            **around.aws,
            **template,
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "LAMBDA_TASK_ROOT": str(function.code),
            "PYTHONPATH": os.pathsep.join(path),
        }
