"""Write `jars.lock` from the `wanted` jars of its sections: `python -m pyflink_jobs.local.lock_jars`.

To move to another version, change it in a section's `wanted` and run this; it resolves all their
dependencies, fetches them and records the digests. With `alone = true`, a section gets no dependencies: its jars
contain them, or are read and not run.
"""

from __future__ import annotations

import hashlib
import tempfile
import tomllib
from pathlib import Path

from jgo.maven import MavenContext

from pyflink_jobs.local.jars import LOCK

__all__ = ["lock"]

_HEAD = """\
# The jars that run on Java, with the sha256 of each file. `wanted` is written by hand; the rest, with all
# dependencies, is written by: python -m pyflink_jobs.local.lock_jars
"""


def lock(text: str) -> str:
    """Return a lock file whose jars follow from the `wanted` of the lock file `text`."""
    sections = [
        _section(name, section["wanted"], alone=section.get("alone", False))
        for name, section in tomllib.loads(text).items()
    ]
    return "\n".join([_HEAD, *sections])


def _section(name: str, wanted: list[str], *, alone: bool) -> str:
    jars: dict[str, str] = {}  # group:artifact -> the whole line; of two versions the first is kept
    with tempfile.TemporaryDirectory() as folder:
        maven = MavenContext(repo_cache=Path(folder))
        for coordinates in wanted:
            # One at a time: resolved together, the version lists (BOMs) of one would change the dependencies of others.
            inputs, needed = maven.resolver.resolve([maven.create_dependency(coordinates)])
            for jar in inputs if alone else [*inputs, *needed]:
                if jar.scope not in {"test", "provided"}:
                    digest = hashlib.sha256(jar.artifact.resolve().read_bytes()).hexdigest()
                    line = f'"{jar.groupId}:{jar.artifactId}:{jar.version}" = "{digest}"'
                    jars.setdefault(f"{jar.groupId}:{jar.artifactId}", line)
    names = "".join(f'    "{coordinates}",\n' for coordinates in wanted)
    head = [f"[{name}]", *(["alone = true"] if alone else []), f"wanted = [\n{names}]"]
    return "\n".join([*head, f"[{name}.jars]", *sorted(jars.values()), ""])


if __name__ == "__main__":
    LOCK.write_text(lock(LOCK.read_text()))
