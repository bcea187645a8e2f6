"""The commands of the stack: up, fire, schedules, invoke, mails, token. `python -m local --help` lists them."""

import argparse
import asyncio
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local import state

if TYPE_CHECKING:
    from local.console import Console
    from local.stack import Options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns its exit status."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        status = command(options)
        sys.stdout.flush()
    except (state.NotRunning, state.Refused) as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader, such as head, closed the pipe. Python flushes the output again at exit, which must not fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description="Runs a SAM template on one machine.")
    parser.add_argument("--folder", type=Path, default=state.FOLDER, help="where the stack keeps its things (.local)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    up = commands.add_parser("up", help="start everything, and serve until Ctrl-C")
    _describe_stack(up)
    up.add_argument("--port", type=int, default=3000)
    up.add_argument("--docs", type=Path, help="an OpenAPI file, browsable at /docs")
    up.add_argument("--audience", default="local", help="audience of tokens made by the token command")
    up.add_argument(
        "--before", action="append", default=[], metavar="COMMAND", help="run first; may come several times"
    )
    up.add_argument("--welcome", type=Path, metavar="FILE", help="a text to show at the end; {url} is filled in")
    up.add_argument("--instances", type=int, default=4, help="instances of one function at most (4)")
    up.add_argument("--idle", type=float, default=600, help="seconds after which an idle instance is retired (600)")
    up.add_argument("--retry-pause", type=float, default=60, help="seconds before a failed event is tried again (60)")
    up.add_argument("--quiet", action="store_true", help="no line for an invocation that went well")
    up.set_defaults(command=_up)

    fire = commands.add_parser("fire", help="run a schedule of the running stack now")
    fire.add_argument("name", nargs="?", default="", help="its name, or the end of it; none lists the names")
    fire.add_argument("--url", help="the stack's address (default: the one that runs here)")
    fire.set_defaults(command=_fire)

    schedules = commands.add_parser("schedules", help="list the schedules of the running stack")
    schedules.add_argument("--url")
    schedules.set_defaults(command=_schedules)

    mails = commands.add_parser("mails", help="show the mails that functions have sent")
    mails.add_argument("--last", type=int, default=10, help="so many of them (10)")
    mails.set_defaults(command=_mails)

    invoke = commands.add_parser("invoke", help="run one function with one event")
    _describe_stack(invoke)
    invoke.add_argument("function")
    invoke.add_argument("event", type=Path, help="a file with JSON; - for standard input")
    invoke.set_defaults(command=_invoke)

    token = commands.add_parser("token", help="print a JWT of the local issuer, and nothing else")
    token.add_argument("--sub", required=True)
    token.add_argument("--role", default="authenticated")
    token.add_argument("--org", help="the claim org_id")
    token.add_argument("--email", help="a verified address")
    token.add_argument("--name")
    token.add_argument("--audience", help="default: the running stack's")
    token.add_argument("--issuer", help="default: the running stack's address")
    token.set_defaults(command=_token)
    return parser


def _describe_stack(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--template", type=Path, default=Path("template.yaml"))
    parser.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE", type=_pair)
    parser.add_argument("--environment", action="append", default=[], metavar="NAME=VALUE", type=_pair)
    parser.add_argument("--name", help="the stack's name (default: the template's folder)")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    parser.add_argument("--region", default=region)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _up(given: argparse.Namespace) -> int:
    from local.console import Console
    from local.stack import Options

    console = Console(quiet=given.quiet, logs=given.folder / "logs")
    for command in given.before:
        with console.step("before") as step:
            step.note = command
            finished = subprocess.run(shlex.split(command), capture_output=True, text=True, check=False)
        if finished.returncode != 0:
            console.say(f"{finished.stdout}{finished.stderr}".rstrip())
            console.say(f"{command} failed with exit status {finished.returncode}.")
            return 1
    options = Options(
        template=given.template,
        port=given.port,
        name=_name(given),
        region=given.region,
        parameters=dict(given.parameter),
        environment=dict(given.environment),
        docs=given.docs,
        folder=given.folder,
        audience=given.audience,
        instances_max=given.instances,
        idle_seconds_max=given.idle,
        retry_pauses_seconds=(given.retry_pause, 2 * given.retry_pause),
    )
    welcome = given.welcome.read_text() if given.welcome else "{url} is ready. Ctrl-C stops it.\n"
    return serve(options, console, lambda: welcome.replace("{url}", options.url))


def serve(
    options: "Options", console: "Console", welcome: Callable[[], str], force: Callable[[], None] = lambda: None
) -> int:
    """Start a stack, show the welcome, and run until a signal. Returns the exit status.

    A second signal ends at once: then only `force` is still called.
    """
    import uvloop

    return uvloop.run(_serve(options, console, welcome, force))


async def _serve(options: "Options", console: "Console", welcome: Callable[[], str], force: Callable[[], None]) -> int:
    from local.aws import ServicesError
    from local.cron import ExpressionError
    from local.intrinsics import TemplateError
    from local.stack import LocalStack, StackError

    stack = LocalStack(options, console)
    finished = asyncio.Event()
    _on_signals(options.folder, finished, force)
    try:
        ended = await _unless(finished, stack.start())
    except (StackError, TemplateError, ServicesError, ExpressionError) as error:
        console.say(str(error))
        return 1
    if not ended:
        console.say("\n" + welcome().rstrip() + "\n")
        await finished.wait()
    console.say("\nStopping …")
    await stack.stop()
    console.say("Stopped.")
    return 0


async def _unless(finished: asyncio.Event, work: Awaitable[None]) -> bool:
    """Do the work, unless a signal comes first. Returns whether it was done."""
    task, ending = asyncio.ensure_future(work), asyncio.ensure_future(finished.wait())
    await asyncio.wait({task, ending}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        ending.cancel()
        task.result()
        return False
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return True


def _on_signals(folder: Path, finished: asyncio.Event, force: Callable[[], None]) -> None:
    """End on the first signal; end at once on the second (children end with this process)."""

    def end() -> None:
        if finished.is_set():
            state.clear(folder)
            force()
            os._exit(130)
        finished.set()

    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(name, end)


def _url(given: argparse.Namespace) -> str:
    if given.url:
        return str(given.url)
    running = state.running(given.folder)
    if running is None:
        raise state.NotRunning("No stack runs here. Start it with `make up` (or `python -m local up`).")
    return running.url


def _fire(given: argparse.Namespace) -> int:
    outcome = state.call(_url(given), "POST", f"/.local/schedules/{given.name}")
    return _tell(outcome)


def _schedules(given: argparse.Namespace) -> int:
    found = state.call(_url(given), "GET", "/.local/schedules")
    width = max((len(each["title"]) for each in found), default=0)
    for each in found:
        next_at = datetime.fromisoformat(each["next_at"]).astimezone() if each["next_at"] else None
        when = f"{next_at:%Y-%m-%d %H:%M:%S %Z}" if next_at else "does not run again"
        print(f"{each['title']:<{width}}  {when:<26}  {each['expression']} {each['timezone']}")
    return 0


def _mails(given: argparse.Namespace) -> int:
    running = state.running(given.folder)
    if running is None:
        raise state.NotRunning("No stack runs here. Start it with `make up` (or `python -m local up`).")
    mails = state.call(running.aws, "GET", "/.local/mails")
    for mail in mails[-given.last :] if given.last > 0 else []:
        print(f"From:    {mail['from']}\nTo:      {', '.join(mail['to'])}\nSubject: {mail['subject'] or ''}\n")
        print(f"{mail['body'] or ''}\n")
    print(f"{len(mails)} mails so far.", file=sys.stderr)
    return 0


def _invoke(given: argparse.Namespace) -> int:
    text = sys.stdin.read() if str(given.event) == "-" else given.event.read_text()
    event = json.dumps(json.loads(text)).encode()
    running = state.running(given.folder)
    if running is not None:
        return _tell(state.call(running.url, "POST", f"/.local/functions/{given.function}", event))

    from local.console import Console
    from local.stack import Options

    options = Options(
        template=given.template,
        name=_name(given),
        region=given.region,
        parameters=dict(given.parameter),
        environment=dict(given.environment),
        folder=given.folder,
        served=False,
    )
    return asyncio.run(_invoke_alone(options, Console(sys.stderr), given.function, event))


async def _invoke_alone(options: "Options", console: "Console", name: str, event: bytes) -> int:
    from local.aws import ServicesError
    from local.intrinsics import TemplateError
    from local.pages import named, told
    from local.stack import LocalStack

    stack = LocalStack(options, console)
    try:
        await stack.start()
    except (TemplateError, ServicesError) as error:
        console.say(str(error))
        return 1
    try:
        pool = named(stack.pools, name)
        if pool is None:
            console.say(f"There is no function {name!r}. Functions: {', '.join(sorted(stack.pools))}.")
            return 1
        return _tell(told(await pool.invoke(event)))
    finally:
        await stack.stop()


def _tell(outcome: Any) -> int:
    """Show the result: the payload on standard output, the rest on standard error."""
    if "payload" not in outcome:
        print("Delivered to the queue.", file=sys.stderr)
        return 0
    print(json.dumps(outcome["payload"], indent=2))
    cold = f", cold {outcome['cold_milliseconds']} ms" if outcome["cold_milliseconds"] is not None else ""
    result = "failed" if outcome["failed"] else "ok"
    print(f"{result}  {outcome['milliseconds']} ms{cold}  request id {outcome['request_id']}", file=sys.stderr)
    return 1 if outcome["failed"] else 0


def _token(given: argparse.Namespace) -> int:
    from local.issuer import Issuer

    last = state.last(given.folder)
    url = given.issuer or (last.url if last else "http://127.0.0.1:3000")
    audience = given.audience or (last.audience if last else "local")
    claims = {"role": given.role, "org_id": given.org, "email": given.email, "name": given.name}
    if given.email is not None:
        claims["email_verified"] = True
    print(Issuer(given.folder / "issuer").token(url, audience=audience, sub=given.sub, **claims))
    return 0


def _name(given: argparse.Namespace) -> str:
    return str(given.name or given.template.resolve().parent.name)
