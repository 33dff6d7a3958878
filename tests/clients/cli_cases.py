"""The corpus of invocations: lines of `cli/cases.txt`, and calls of every operation that are made from the models."""

import json
import pathlib
from dataclasses import dataclass, field

CASES = pathlib.Path(__file__).parent / "cli" / "cases.txt"
SERVICES = ["apigateway", "apigatewayv2", "apigatewaymanagementapi", "ivs-realtime"]
OUTPUTS = ["json", "text", "table"]
NOT_MEMBERS = {"cli-input-json", "generate-cli-skeleton", "outfile", "starting-token", "page-size", "max-items"}


@dataclass
class Case:
    """One invocation."""

    name: str
    words: list
    # The stub's answers; without, the call goes to a Stagedoor.
    answers: object = None
    # Why the second version of the AWS CLI prints something else than the first, which is what we can run here.
    differs: str = ""
    variables: dict = field(default_factory=dict)


def of_file(made):
    """`~ reason` says that the next line is known to differ; `NAME=value` in front is a variable; `|` begins a word
    with spaces, as does any later one."""
    reason = ""
    for line in CASES.read_text().splitlines():
        if line.startswith("~"):
            reason = line[1:].strip()
        elif line.strip() and not line.startswith("#"):
            words, variables = words_of(line, made), {}
            while words and words[0].split("=")[0].isupper() and "=" in words[0]:
                name, value = words.pop(0).split("=", 1)
                variables[name] = value
            yield Case(line, words, differs=reason, variables=variables)
            reason = ""


def words_of(line, made):
    head, *spaced = line.split("|")
    rest = [word for part in spaced for word in spaced_words(part)]
    return [word.format(**made) for word in [*head.split(), *rest]]


def spaced_words(part):
    """One word with spaces, perhaps followed by options of single words."""
    word, *options = part.split(" --")
    return [word, *(piece for option in options for piece in f"--{option}".split())] if part else []


# === from the models ===


def of_models(commands, stub_answers, out):
    """Each operation with what it needs, and with all it has; in pages if it has pages."""
    for at, (service, name, operation, paginator) in enumerate(commands):
        answers = stub_answers(operation._operation_model, paginator)
        arguments = {key: argument for key, argument in operation.arg_table.items() if key not in NOT_MEMBERS}
        file = [out] if "outfile" in operation.arg_table else []
        needed = [word for key, argument in arguments.items() if argument.required for word in words_for(key, argument)]
        everything = [
            word for key, argument in arguments.items() if not key.startswith("no-") for word in words_for(key, argument)
        ]
        yield Case(f"{service} {name}: what it needs", [service, name, *needed, *file], answers)
        output = ["--output", OUTPUTS[at % 3]]
        yield Case(f"{service} {name}: all it takes", [service, name, *everything, *file, *output], answers)
        if not file:
            yield Case(f"{service} {name}: skeleton of its answer", [service, name, *needed, "--generate-cli-skeleton", "output"])
        if paginator:
            result = operation._operation_model.output_shape.members[paginator["result_key"]]
            # The AWS CLI cannot cut maps, which GetUsage answers.
            cuts = [["--max-items", "1"], ["--max-items", "3", "--output", "table"]] if result.type_name == "list" else []
            for more in (["--page-size", "2", "--output", "text"], ["--no-paginate"], *cuts):
                yield Case(f"{service} {name}: {' '.join(more)}", [service, name, *needed, *more], answers)


def of_failures(failing):
    """Answers that are repeated, and how often; the requests are compared."""
    words = ["ivs-realtime", "get-stage", "--arn", "arn:aws:ivs:us-east-1:000000000000:stage/a"]
    for mode, attempts, status, code in [
        ("standard", "2", 500, "InternalServerException"),
        ("standard", "2", 400, "LimitExceededException"),
        ("standard", "3", 404, "ResourceNotFoundException"),
        ("standard", "2", 509, ""),
        ("legacy", "2", 429, "TooManyRequestsException"),
        ("legacy", "2", 400, "ThrottlingException"),
        ("legacy", "2", 509, ""),
        ("legacy", "3", 403, "AccessDeniedException"),
        ("adaptive", "2", 503, "ServiceUnavailable"),
    ]:
        variables = {"AWS_RETRY_MODE": mode, "AWS_MAX_ATTEMPTS": attempts}
        yield Case(f"{status} {code} in mode {mode}, {attempts} attempts", words, failing(status, code), variables=variables)


def words_for(key, argument):
    shape = argument.argument_model
    if shape.type_name == "boolean":
        return [f"--{key}"]
    if shape.type_name == "list" and shape.member.type_name in ("string", "integer"):
        return [f"--{key}", scalar(shape.member, "first"), scalar(shape.member, "second")]
    if shape.type_name in ("structure", "map", "list"):
        short = shorthand(shape)
        return [f"--{key}", short or json.dumps(value(shape, ()))]
    return [f"--{key}", scalar(shape, f"{key} a/b")]


def shorthand(shape):
    """A structure of nothing but scalars, or a map of strings."""
    if shape.type_name == "structure" and all(member.type_name in ("string", "integer", "boolean") for member in shape.members.values()):
        return ",".join(f"{name}={scalar(member, 'x.y')}" for name, member in shape.members.items())
    if shape.type_name == "map" and shape.value.type_name == "string":
        return "one=1,two=zwei"
    return None


def scalar(shape, text):
    kind = shape.type_name
    if kind in ("integer", "long"):
        return str(max(int(shape.metadata.get("min", 0)), 3))
    if kind in ("float", "double"):
        return "1.5"
    if kind == "boolean":
        return "true"
    if kind == "timestamp":
        return "2024-02-03T04:05:06Z"
    if getattr(shape, "enum", None):
        return shape.enum[0]
    return text.ljust(int(shape.metadata.get("min", 0)), "x")


def value(shape, within):
    """A value for JSON."""
    within = (*within, shape.name)
    kind = shape.type_name
    if kind == "structure":
        inner = {} if within.count(shape.name) > 1 else shape.members
        return {name: value(member, within) for name, member in inner.items()}
    if kind == "list":
        return [value(shape.member, within)]
    if kind == "map":
        return {"key": value(shape.value, within)}
    if kind in ("integer", "long"):
        return int(scalar(shape, ""))
    if kind in ("float", "double"):
        return 1.5
    if kind == "boolean":
        return False
    return scalar(shape, "wörd")
