"""Notices edits: a function with changed code or layers gets new instances, a changed template is reported."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from watchfiles import DefaultFilter, awatch

from local.console import Console
from local.functions import Pool


async def watch(
    pools: Mapping[str, Pool], templates: Sequence[Path], own: Path, console: Console, stop: asyncio.Event
) -> None:
    """Watch until `stop`. `templates` are the files of the template, `own` is the folder in which the stack writes."""
    users: dict[Path, list[Pool]] = {}
    for pool in pools.values():
        for folder in {pool.function.code, *(layer.content for layer in pool.function.layers)}:
            users.setdefault(folder.resolve(), []).append(pool)
    roots = [folder for folder in users if not any(parent in users for parent in folder.parents)]
    read = {template.resolve() for template in templates if template.exists()}
    ignored = DefaultFilter(ignore_paths=[own.resolve()])
    async for changes in awatch(*roots, *read, watch_filter=ignored, stop_event=stop, step=50):
        paths = {Path(path) for _, path in changes}
        for template in sorted(paths & read):
            console.say(f"{template.name} has changed: stop and start again to use it.")
        touched = {
            pool.function.title: pool
            for path in paths
            for folder, its_users in users.items()
            if folder == path or folder in path.parents
            for pool in its_users
        }
        for pool in touched.values():
            pool.reload()
        if touched:
            what = ", ".join(sorted(touched)) if len(touched) <= 4 else f"{len(touched)} functions"
            console.say(f"{_names(paths)} changed: {what} reloaded.")


def _names(paths: set[Path]) -> str:
    names = sorted({path.name for path in paths})
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
