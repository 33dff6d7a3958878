"""Plays calls again and compares what the server answers with what AWS answered.

A recorded answer is a pattern: values that differ from run to run are recorded as `<id:1>`, dates as `datetime`. A numbered
one must stand for the same value wherever it occurs in one recorded test, and two numbers never for one value. What was
JSON in a text is recorded parsed. Not owned here: which calls are made; that is the business of the `*_calls.py` modules.
"""

import datetime
import json
import pathlib
import re

from botocore.exceptions import ClientError

ANSWERS = pathlib.Path(__file__).resolve().parent / "answers"
#: The account that the recordings show.
ACCOUNT = "111111111111"
#: What CloudFront adds in front of an EDGE endpoint. There is no CloudFront here (docs/compatibility.md, "EDGE endpoints").
OF_CLOUDFRONT = re.compile(r"(cloudfront-.*|via|x-amz-cf-id|x-amz-cf-pop|x-cache|connection)", re.IGNORECASE)
VARYING = re.compile(r"<[A-Za-z][A-Za-z_-]*(?:[:-]\d+)?>")
LOG_TIME = re.compile(r"[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d UTC \d{4} : ")

#: Recorded test -> the function that makes its calls.
CALLS = {}


def replays(*tests):
    """Says that a function makes the calls of these recorded tests."""

    def register(function):
        for test in tests:
            assert test not in CALLS, test
            CALLS[test] = function
        return function

    return register


def recorded():
    """Recorded test -> its answers, of all files."""
    found = {}
    for path in sorted(ANSWERS.glob("*.json")):
        for test, answers in json.loads(path.read_text()).items():
            found[f"{path.stem}/{test}"] = answers
    return found


class Replay:
    """One recorded test being played. `aws.create_stage(...)` makes a call, `aws("label").create_stage(...)` compares its
    answer with the recorded one, `aws.check("label", value)` compares anything else."""

    def __init__(self, test, answers, client, server):
        self.test = test
        self.client = client
        self.server = server
        self.matched = []
        self.differences = {}
        self._answers = {label: (status, answer) for label, status, answer in answers}
        self._bound = {}

    def play(self, calls):
        """Makes the calls; one that cannot be made leaves the rest of the answers unmatched."""
        try:
            calls(self)
        except Exception as error:  # Whatever it is, it is told where its answer would stand.
            stopped = f"the calls stopped: {type(error).__name__}: {error}"
        else:
            stopped = "no call has this label"
        for label in self._answers:
            if label not in self.matched and label not in self.differences:
                self.differences[label] = [stopped]

    def __call__(self, label, sort=None):
        return Labelled(self, label, sort)

    def __getattr__(self, operation):
        return getattr(self.client, operation)

    def recorded(self, label):
        return self._answers[label][1]

    def check(self, label, value, status=None):
        wanted_status, wanted = self._answers[label]
        found = []
        if wanted_status is not None and wanted_status != status:
            found.append(f"status: AWS {wanted_status}, here {status}")
        self._compare(wanted, value, "", found)
        if found:
            self.differences[label] = found
        else:
            self.matched.append(label)

    def _compare(self, wanted, value, where, found):
        if isinstance(wanted, (dict, list)) and isinstance(value, str):
            value = log_lines(value) if isinstance(wanted, dict) and "line00" in wanted else parsed(value)
        if isinstance(wanted, dict) and isinstance(value, dict):
            self._compare_members(wanted, value, where, found)
        elif isinstance(wanted, list) and isinstance(value, list) and len(wanted) == len(value):
            for index, (one, other) in enumerate(zip(wanted, value)):
                self._compare(one, other, f"{where}[{index}]", found)
        elif isinstance(wanted, str):
            if not self._text_matches(wanted, value):
                found.append(f"{where or 'answer'}: AWS {wanted!r}, here {value!r}")
        elif wanted != value or isinstance(wanted, bool) != isinstance(value, bool):
            found.append(f"{where or 'answer'}: AWS {wanted!r}, here {value!r}")

    def _compare_members(self, wanted, value, where, found):
        wanted, value = (without_cloudfront(side) for side in (wanted, value))
        for name in sorted(wanted.keys() | value.keys()):
            here = f"{where}.{name}" if where else name
            if name not in value:
                found.append(f"{here}: AWS {wanted[name]!r}, here absent")
            elif name not in wanted:
                found.append(f"{here}: AWS absent, here {value[name]!r}")
            else:
                self._compare(wanted[name], value[name], here, found)

    def _text_matches(self, wanted, value):
        if wanted == "datetime":
            return isinstance(value, datetime.datetime)
        if wanted in ("date", "content-length"):
            return isinstance(value, str)
        if not isinstance(value, str):
            return VARYING.fullmatch(wanted) is not None and not re.search(r"\d>$", wanted)
        pattern, names = "", {}
        last = 0
        for hole in VARYING.finditer(wanted):
            pattern += re.escape(wanted[last : hole.start()])
            last = hole.end()
            name = hole[0]
            if name in self._bound:
                pattern += re.escape(self._bound[name])
            elif name in names:
                pattern += f"(?P={names[name]})"
            else:
                names[name] = f"v{len(names)}"
                pattern += f"(?P<{names[name]}>.+?)"
        match = re.fullmatch(pattern + re.escape(wanted[last:]), value, re.DOTALL)
        return match is not None and all(self._bind(name, match[group]) for name, group in names.items())

    def _bind(self, name, value):
        kind = re.fullmatch(r"<(.*?)([:-]\d+)?>", name)
        if kind[2] is None:
            return True
        for other, taken in self._bound.items():
            if taken == value and other.startswith(f"<{kind[1]}{kind[2][0]}"):
                return False
        self._bound[name] = value
        return True


class Labelled:
    """A call whose answer is compared with the one recorded under a label. `sort` names the member by which the
    recording's list was put in order."""

    def __init__(self, replay, label, sort):
        self._replay, self._label, self._sort = replay, label, sort

    def __getattr__(self, operation):
        def call(**arguments):
            try:
                answer = getattr(self._replay.client, operation)(**arguments)
            except ClientError as error:
                shown = error.response["Error"]
                status = error.response["ResponseMetadata"]["HTTPStatusCode"]
                self._replay.check(self._label, f"{shown['Code']}: {shown['Message']}", status)
                return {}
            status = answer.pop("ResponseMetadata")["HTTPStatusCode"]
            for name, part in answer.items():
                if hasattr(part, "read"):
                    answer[name] = part.read().decode()
            if self._sort:
                answer["items"].sort(key=lambda item: item[self._sort])
            self._replay.check(self._label, answer, status)
            return answer

        return call


def without_cloudfront(members):
    return {name: part for name, part in members.items() if not OF_CLOUDFRONT.fullmatch(name)}


def parsed(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


def log_lines(text):
    """The log of a test invocation as the recordings hold it: a member per line, times taken out."""
    lines = LOG_TIME.sub("DDD MMM dd hh:mm:ss UTC yyyy : ", text).split("\n")
    return {f"line{number:02}": line for number, line in enumerate(lines)}
