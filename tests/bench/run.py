"""Measures the figures of docs/performance.md. `cargo xtask bench` starts it with what it needs installed.

Each figure stands beside its goal or beside a peer measured in the same run. CPU time is what the measured processes
used by the kernel's account, so a busy machine changes a rate per second but hardly one per CPU second.
"""

import pathlib
import sys
import tempfile

from measure import machine

import control
import counts
import media
import stages
import start

FIGURES = {
    "start": start.start_and_memory,
    "cli": start.command_line,
    "control": control.control_plane,
    "many": control.many_apis,
    "import": control.imports,
    "proxy": stages.beside_proxies,
    "stage": stages.variations,
    "counts": counts.counts,
    "latency": stages.added_latency,
    "update": stages.updates,
    "media": media.media,
}


def main(names):
    unknown = set(names) - set(FIGURES)
    if unknown:
        sys.exit(f"no such figure: {', '.join(sorted(unknown))}; there are: {', '.join(FIGURES)}")
    print(machine(), end="\n\n")
    print("| what | Stagedoor | beside |\n|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="stagedoor-bench-") as folder:
        for name in names or FIGURES:
            FIGURES[name](pathlib.Path(folder))


if __name__ == "__main__":
    main(sys.argv[1:])
