"""What the real API Gateway answered is what the server answers: the recordings, played again.

`recordings/matches.txt` holds, per recorded test, how many of its answers match. A count that drops fails; one that rose is
written down by running with `STAGEDOOR_RECORD_MATCHES=1`. `pytest -s` prints every difference and the sum.
"""

import os
import pathlib

import pytest

from conftest import client
from recordings import control_calls, data_calls, stage_calls  # noqa: F401 (they register themselves)
from recordings import functions as recorded_functions
from recordings.replay import ACCOUNT, CALLS, Replay, recorded
from server import Server

LIST = pathlib.Path(__file__).resolve().parent / "recordings" / "matches.txt"
HEAD = """\
# How many answers of each recorded test match: "test matched of recorded". Written by
# STAGEDOOR_RECORD_MATCHES=1 pytest tests/clients/test_recordings.py; a count that drops fails the tests.
"""
ANSWERS = recorded()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    directory = tmp_path_factory.mktemp("recordings")
    config = directory / "stagedoor.toml"
    config.write_text(recorded_functions.configuration())
    with Server(directory / "data", "--account", ACCOUNT, "--config", str(config)) as running:
        yield running
        assert running.running, "the server went down:\n" + running.last_log()


@pytest.fixture(scope="module")
def report():
    """Test -> how many of its answers matched; at the end the sum is printed and, if asked for, written down."""
    counts = {}
    yield counts
    matched, total = sum(counts.values()), sum(len(ANSWERS[test]) for test in counts)
    print(f"\nrecordings: {matched} of {total} answers match")
    if os.environ.get("STAGEDOOR_RECORD_MATCHES"):
        kept = expected() | counts
        lines = [f"{test} {kept[test]} of {len(ANSWERS[test])}\n" for test in sorted(kept)]
        LIST.write_text(HEAD + "".join(lines))


def expected():
    """Test -> how many of its answers matched when the list was written."""
    lines = LIST.read_text().splitlines() if LIST.exists() else []
    parts = [line.rsplit(" ", 3) for line in lines if not line.startswith("#")]
    return {test: int(matched) for test, matched, _, _ in parts}


def test_every_recorded_test_has_calls_and_a_count():
    assert ANSWERS.keys() == CALLS.keys()
    assert os.environ.get("STAGEDOOR_RECORD_MATCHES") or expected().keys() == ANSWERS.keys()


@pytest.mark.parametrize("number, test", list(enumerate(ANSWERS)), ids=list(ANSWERS))
def test_answers_are_those_of_aws(server, report, number, test):
    # A region of its own, so that lists hold nothing else.
    region = f"xx-recorded-{number}"
    caller = client(server, "apigateway", region=region, parameter_validation=False)
    replay = Replay(test, ANSWERS[test], caller, server)
    if test in CALLS:
        replay.play(CALLS[test])
    report[test] = len(replay.matched)
    for label, differences in replay.differences.items():
        for difference in differences:
            print(f"{test} {label}: {difference}")
    if not os.environ.get("STAGEDOOR_RECORD_MATCHES"):
        wanted = expected().get(test, 0)
        assert len(replay.matched) >= wanted, f"{len(replay.matched)} answers match, {wanted} did before"
