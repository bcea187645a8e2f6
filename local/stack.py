"""The whole stack: the parts of a template that run here, started, kept running, stopped."""

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local import code_watch, layer_links, plans, state, template
from local.aws import Services
from local.console import Console
from local.functions import Pool, all_ended
from local.gateway import Gateway
from local.instances import Surroundings
from local.invocations import RETRY_PAUSES_SECONDS, Dispatcher
from local.issuer import Issuer
from local.pages import Pages
from local.queues import Poller
from local.report import Group, paragraphs
from local.resources import Account, Api, Layer
from local.schedules import Scheduler

LOG_BYTES_MAX = 20 * 1024 * 1024
RETIRE_SECONDS = 15.0


class StackError(Exception):
    """The stack cannot start; the message gives the reason and a solution."""


@dataclass(frozen=True, slots=True)
class Options:
    """The template to run and its settings.

    `{url}` in parameters, variables and the welcome is the gateway's address.
    """

    template: Path
    port: int = 3000
    name: str = "local"
    region: str = "us-east-1"
    parameters: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    docs: Path | None = None
    folder: Path = state.FOLDER
    audience: str = "local"
    instances_max: int = 4
    idle_seconds_max: float = 600.0
    retry_pauses_seconds: tuple[float, ...] = RETRY_PAUSES_SECONDS
    served: bool = True
    reload: bool = True

    @property
    def url(self) -> str:
        """The gateway's address."""
        return f"http://127.0.0.1:{self.port}"


class LocalStack:
    """A running template. `start`, then `stop`; in between `pools`, `scheduler` and `services` can be used."""

    def __init__(self, options: Options, console: Console) -> None:
        self.options = options
        self.account = Account(options.name, options.region)
        self.pools: dict[str, Pool] = {}
        self.scheduler: Scheduler
        self.services: Services
        self._console = console
        self._logs = options.folder / "logs"
        self._gateways: list[Gateway] = []
        self._pollers: list[Poller] = []
        self._dispatcher: Dispatcher | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._files: list[Path] = []
        self._ended = asyncio.Event()

    async def start(self) -> None:
        """Start everything. Raises StackError, TemplateError, ServicesError, ExpressionError."""
        options, console = self.options, self._console
        if options.served:
            refuse_taken(options.port, options.folder)
        self._logs.mkdir(parents=True, exist_ok=True)
        for log in self._logs.glob("*.log"):
            if log.stat().st_size > LOG_BYTES_MAX:
                log.replace(log.with_suffix(".log.old"))
        self.services = Services(self.account, self._logs)
        starting = asyncio.ensure_future(self.services.start())
        try:
            with console.step("template") as step:
                plan = await asyncio.to_thread(self._plan)
                self._files = plan.files
                step.note = f"{options.template.name}, {len(plan.template.resources)} resources"
            with console.step("AWS services") as step:
                await starting
                await asyncio.to_thread(self._furnish, plan)
                step.note = self.services.endpoint + (" (yours)" if self.services.external else " (moto)")
            with console.step("functions") as step:
                stack = plan.read()
                self._prepare(stack)
                step.note = (
                    f"{len(stack.functions)} functions, {len(stack.sources)} queue sources, "
                    f"{len(stack.schedules)} schedules"
                )
            if options.served:
                with console.step("gateway") as step:
                    await self._serve(stack.apis)
                    step.note = options.url
        except BaseException:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            await self.stop()
            raise
        for line in paragraphs(stack.report):
            console.say(line)
        if options.served:
            self._work()

    async def stop(self) -> None:
        """Stop everything, in the order of its dependencies."""
        self._ended.set()
        for gateway in self._gateways:
            await gateway.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for poller in self._pollers:
            await poller.stop()
        if self._dispatcher is not None:
            await self._dispatcher.stop()
        await asyncio.gather(*(pool.stop() for pool in self.pools.values()))
        await all_ended()
        if hasattr(self, "services"):
            await self.services.stop()
        state.clear(self.options.folder)

    def status(self) -> dict[str, Any]:
        """Return the running processes: process ids by function, the address of the AWS services."""
        return {
            "pid": os.getpid(),
            "url": self.options.url,
            "aws": self.services.endpoint,
            "aws_pid": self.services.pid,
            "functions": {pool.function.logical_id: pool.pids for pool in self.pools.values()},
        }

    def _plan(self) -> plans.Plan:
        options = self.options
        given = {name: value.replace("{url}", options.url) for name, value in options.parameters.items()}
        cache = options.folder / "cache"
        return plans.Plan(template.load(options.template.resolve(), given, self.account, cache))

    def _furnish(self, plan: plans.Plan) -> None:
        """Create queues, secrets and buckets, and let the template's values refer to them."""
        urls, refused_queues = self.services.make_queues(plan.queues)
        arns, refused_secrets = self.services.make_secrets(plan.secrets)
        refused_buckets = self.services.make_buckets(plan.buckets)
        plan.furnish(urls, arns)
        for logical_id, said in (*refused_queues.items(), *refused_secrets.items(), *refused_buckets.items()):
            plan.report.add(Group.FAULTS, f"{logical_id}: {said}")
        self.services.verify_identities(plan.mail_identities())

    def _prepare(self, stack: plans.Stack) -> None:
        options = self.options
        variables = {name: value.replace("{url}", options.url) for name, value in options.environment.items()}
        surroundings = Surroundings(self.account, self._logs.absolute(), self.services.variables, variables)
        folders: dict[tuple[Layer, ...], Path] = {}
        for logical_id, function in stack.functions.items():
            if function.layers not in folders:
                folders[function.layers] = layer_links.merge(function.layers, (options.folder / "opt").absolute())
            self.pools[logical_id] = Pool(
                function,
                folders[function.layers],
                surroundings,
                instances_max=options.instances_max,
                idle_seconds_max=options.idle_seconds_max,
            )
        self._warn_of_missing(stack)
        self._dispatcher = Dispatcher(
            self.pools, self.services, self._console, pauses_seconds=options.retry_pauses_seconds
        )
        self.scheduler = Scheduler(stack.schedules, self._dispatcher, self.services, self._console)
        self._pollers = [
            Poller(source, self.pools[source.function], self.services, self._console) for source in stack.sources
        ]

    def _warn_of_missing(self, stack: plans.Stack) -> None:
        here = "python{}.{}".format(*sys.version_info[:2])
        wanted = sorted({function.runtime for function in stack.functions.values()} - {here})
        if wanted:
            self._console.say(f"  functions run on {here} here; the template says {', '.join(wanted)}")
        layers = {layer.content for function in stack.functions.values() for layer in function.layers}
        for folder in sorted(layers | {function.code for function in stack.functions.values()}):
            missing = layer_links.missing_requirements(folder)
            if missing:
                self._console.say(f"  {folder.name}/requirements.txt: not installed here: {', '.join(missing)}")

    async def _serve(self, apis: Sequence[Api]) -> None:
        options = self.options
        pages = Pages(
            options.url, Issuer(options.folder / "issuer"), options.docs, self.pools, self.scheduler, self.status
        )
        served = list(apis) or [NO_API]
        for number, api in enumerate(served):
            port = options.port + number
            gateway = Gateway(api, self.account, self.pools, self._console, pages, port)
            try:
                await gateway.start()
            except OSError as error:
                raise StackError(taken(port)) from error
            self._gateways.append(gateway)
            if number:
                self._console.say(f"  {api.logical_id} is served on http://127.0.0.1:{port}")

    def _work(self) -> None:
        state.write(
            self.options.folder,
            state.State(
                pid=os.getpid(),
                url=self.options.url,
                aws=self.services.endpoint,
                template=str(self.options.template),
                audience=self.options.audience,
                started_at=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            ),
        )
        self._tasks = [asyncio.create_task(poller.run()) for poller in self._pollers]
        self._tasks.append(asyncio.create_task(self.scheduler.run()))
        self._tasks.append(asyncio.create_task(self._retire()))
        if self.options.reload:
            watcher = code_watch.watch(self.pools, self._files, self.options.folder, self._console, self._ended)
            self._tasks.append(asyncio.create_task(watcher))
        for task in self._tasks:
            task.add_done_callback(self._tell_of_fault)

    def _tell_of_fault(self, task: "asyncio.Task[None]") -> None:
        with contextlib.suppress(asyncio.CancelledError):
            fault = task.exception()
            if fault is not None:
                self._console.say(f"A part of the stack has stopped: {fault!r}")

    async def _retire(self) -> None:
        while True:
            await asyncio.sleep(min(RETIRE_SECONDS, self.options.idle_seconds_max))
            for pool in self.pools.values():
                pool.retire()


NO_API = Api("none", "0000000000", "local", {}, (), {}, {}, {}, (), None)
"""Served if the template has no API, so that the stack's own pages still have an address."""


def taken(port: int) -> str:
    """Return the message for a port in use."""
    return (
        f"Port {port} of 127.0.0.1 is in use by another program. "
        f"Stop it, or choose another port: PORT={port + 1} make up (python -m local up --port {port + 1})."
    )


def refuse_taken(port: int, folder: Path) -> None:
    """Raise StackError if this folder's stack already runs, or if the port is taken."""
    try:
        state.claim(folder)
    except state.Claimed as error:
        raise StackError(str(error)) from error
    with socket.socket() as end:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            end.bind(("127.0.0.1", port))
        except OSError as error:
            raise StackError(taken(port)) from error
