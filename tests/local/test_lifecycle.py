"""Starting and stopping: no process stays behind, and an obstacle is named."""

import os
import signal
import socket
import time
from pathlib import Path

import pytest

from tests.kit.local_stack import LocalStack, alive


def processes(running: LocalStack) -> list[int]:
    """Return the stack's process and all processes that it started."""
    status = running.status()
    pids = [status["pid"], status["aws_pid"], *(pid for pids in status["functions"].values() for pid in pids)]
    assert len(pids) > 2
    return pids


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_stack_leaves_no_process_behind(tmp_path: Path, number: int) -> None:
    running = LocalStack(tmp_path).start()
    running.get("/echo/x")
    pids = processes(running)

    status = running.stop(number)

    running.wait(lambda: not any(map(alive, pids)))
    assert status == (0 if number != signal.SIGKILL else -signal.SIGKILL)
    if number != signal.SIGKILL:
        assert not (running.state / "stack.json").exists()
        assert running.output.rstrip().endswith("Stopped.")


def test_second_interrupt_ends_the_stack_at_once(tmp_path: Path) -> None:
    running = LocalStack(tmp_path).start()
    running.get("/echo/x")
    pids = processes(running)

    running.process.send_signal(signal.SIGINT)
    running.process.send_signal(signal.SIGINT)
    running.process.wait(timeout=5)

    running.wait(lambda: not any(map(alive, pids)))


def test_stack_can_be_interrupted_while_it_starts(tmp_path: Path) -> None:
    running = LocalStack(tmp_path)
    running.template.write_text(running.template.read_text())
    import subprocess

    command = running.command("up", "--template", str(running.template), "--port", str(running.port))
    process = subprocess.Popen([*command, *running.parameters()], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=20)

    assert "template" in first
    assert (process.returncode, "Stopped." in rest) == (0, True)


def test_stack_starts_after_it_was_killed(tmp_path: Path) -> None:
    running = LocalStack(tmp_path).start()
    running.stop(signal.SIGKILL)
    assert (running.state / "stack.json").exists()

    assert running.run("schedules").returncode == 1
    began = time.monotonic()
    running.start()

    assert time.monotonic() - began < 10, "the second start is fast"
    assert running.get("/echo/x").status == 200
    running.stop()


def test_port_in_use_is_named_with_the_next_step(tmp_path: Path) -> None:
    running = LocalStack(tmp_path)
    with socket.create_server(("127.0.0.1", running.port)):
        done = running.run(
            "up", "--template", str(running.template), "--port", str(running.port), *running.parameters()
        )

    assert done.returncode == 1
    assert f"Port {running.port} of 127.0.0.1 is in use" in done.stdout
    assert f"PORT={running.port + 1} make up" in done.stdout


def test_folder_has_one_stack(stack: LocalStack) -> None:
    done = stack.run("up", "--template", str(stack.template), "--port", str(stack.port + 1), *stack.parameters())

    assert done.returncode == 1
    assert f"The stack runs already, on {stack.url} (process {stack.process.pid})" in done.stdout


def test_wrong_parameter_is_reported_at_start(tmp_path: Path) -> None:
    running = LocalStack(tmp_path)

    wrong = ["--parameter", "Issuers=x"]
    done = running.run("up", "--template", str(running.template), "--port", str(running.port), *wrong)

    assert done.returncode == 1
    assert "Issuers: the template has no such parameter" in done.stdout


def test_unsupported_resources_are_reported_once_and_the_rest_runs(stack: LocalStack) -> None:
    assert stack.output.count("    AWS::CloudWatch::Alarm (1)\n") == 1
    assert "words/requirements.txt: not installed here: surely-not-a-package" in stack.output
    assert stack.get("/echo/x").status == 200


def test_idle_stack_uses_little_cpu(stack: LocalStack) -> None:
    pids = [stack.process.pid, stack.status()["aws_pid"]]
    time.sleep(0.5)
    before = sum(map(_cpu_seconds, pids))
    time.sleep(3)

    assert sum(map(_cpu_seconds, pids)) - before < 0.3, "CPU seconds in three seconds"


def _cpu_seconds(pid: int) -> float:
    import subprocess

    text = subprocess.run(["ps", "-o", "cputimes=", "-p", str(pid)], capture_output=True, text=True, check=True).stdout
    if Path(f"/proc/{pid}/stat").exists():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return float(text)
