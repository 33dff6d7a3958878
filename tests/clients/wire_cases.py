"""Cases for the wire protocol, made with botocore's own serializer and models.

Owns how random values that satisfy (or break) a model are made, and how botocore turns them into requests. What the
engine makes of them is compared in test_wire_conformance.py. Nothing here knows anything of Stagedoor.
"""

import base64
import datetime
import json
import random
import re
from dataclasses import dataclass, field
from re import _constants as sre, _parser as sre_parser

import botocore.awsrequest
import botocore.session
from botocore.serialize import create_serializer

SERVICES = ("apigateway", "apigatewayv2", "apigatewaymanagementapi", "ivs-realtime")

# The published pattern's resource-type part is one character class without a quantifier: no real ARN matches it.
PATTERNS_PUT_RIGHT = {
    "arn:aws:ivs:[a-z0-9-]+:[0-9]+:[a-z-]/[a-zA-Z0-9-]+": "arn:aws:ivs:[a-z0-9-]+:[0-9]+:[a-z-]+/[a-zA-Z0-9-]+",
}
PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
# Everything that some encoder has been known to get wrong: blanks, plus, percent, quotes, slashes, beyond ASCII.
NASTY = PLAIN + " +%&=?#/\\\"'<>:;,@!$*()[]{}|~^`.\t\n" + "äßéЖ漢字€😀\u2028"
DEPTH_MAX = 6


@dataclass
class Request:
    """One HTTP request as botocore would send it, and the values that it carries."""

    service: str
    operation: str
    values: dict
    method: str = ""
    uri: str = ""
    headers: dict = field(default_factory=dict)
    body: bytes = b""

    def line(self):
        """The request as the conformance program reads it."""
        return {
            "service": self.service,
            "operation": self.operation,
            "method": self.method,
            "uri": self.uri,
            "headers": self.headers,
            "body": base64.b64encode(self.body).decode(),
        }


def service_model(service):
    return botocore.session.get_session().get_service_model(service)


# === values ===


class Maker:
    """Makes random values for shapes. The same seed makes the same values."""

    def __init__(self, seed, full=False):
        self.random = random.Random(seed)
        # With `full`, every optional member is there and every list has one item: a place to break anything.
        self.full = full

    def value(self, shape, location=None, depth=0):
        make = getattr(self, "_" + shape.type_name)
        return make(shape, location, depth)

    def structure(self, shape, depth=0):
        values = {}
        for name, member in shape.members.items():
            location = member.serialization.get("location")
            if location == "uri" or name in shape.required_members or self._wanted(depth):
                values[name] = self.value(member, location, depth + 1)
        return values

    def _wanted(self, depth):
        return depth < DEPTH_MAX and (self.full or self.random.random() < 0.5)

    def _structure(self, shape, location, depth):
        return self.structure(shape, depth)

    def _list(self, shape, location, depth):
        count = self._count(shape, location, depth)
        return [self.value(shape.member, location, depth + 1) for _ in range(count)]

    def _map(self, shape, location, depth):
        values = {}
        for _ in range(self._count(shape, location, depth)):
            values[self._key(shape, location)] = self.value(shape.value, location, depth + 1)
        return values

    def _key(self, shape, location):
        if location == "querystring":
            # These maps hold every query parameter that has no member of its own, so names must be new.
            return "x-" + self._text(PLAIN, 1, 12)
        return self.value(shape.key, None, DEPTH_MAX)

    def _count(self, shape, location, depth):
        low = shape.metadata.get("min", 0)
        high = min(shape.metadata.get("max", 4), low + 3)
        if location:
            # In a query string an empty list is the same as none.
            low = max(low, 1)
        if self.full:
            return max(low, min(1, high))
        return low if depth >= DEPTH_MAX else self.random.randint(low, max(low, high))

    def _string(self, shape, location, depth):
        if shape.enum:
            return self.random.choice(shape.enum)
        low, high = shape.metadata.get("min", 0), min(shape.metadata.get("max", 40), 60)
        if location:
            low = max(low, 1)
        pattern = shape.metadata.get("pattern")
        if pattern:
            return self.matching(PATTERNS_PUT_RIGHT.get(pattern, pattern), low, shape.metadata.get("max", 400))
        if location == "header":
            # Blanks at the ends of a header do not survive HTTP.
            return self._text(PLAIN + "./;=", low, high)
        if location == "uri":
            # A label of dots only would be another path.
            return self._text(PLAIN, 1, 1) + self._text(NASTY, 0, high - 1)
        return self._text(NASTY, low, max(low, high))

    def _text(self, letters, low, high):
        return "".join(self.random.choice(letters) for _ in range(self.random.randint(low, high)))

    def matching(self, pattern, low, high):
        """A string that the whole pattern matches, with a length in these bounds."""
        tree = sre_parser.parse(pattern)
        for repeats in [3, 6, 12, *range(1, 40)]:
            for _ in range(20):
                text = self._from_tree(tree, repeats)
                if low <= len(text) <= high and text.strip() == text and re.fullmatch(pattern, text):
                    return text
        raise AssertionError(f"no string found for {pattern!r} with {low} to {high} letters")

    def _from_tree(self, tree, repeats):
        return "".join(self._from_node(kind, value, repeats) for kind, value in tree)

    def _from_node(self, kind, value, repeats):
        if kind is sre.LITERAL:
            return chr(value)
        if kind is sre.ANY:
            return self.random.choice(PLAIN)
        if kind is sre.IN:
            return self._from_set(value)
        if kind is sre.BRANCH:
            return self._from_tree(self.random.choice(value[1]), repeats)
        if kind is sre.SUBPATTERN:
            return self._from_tree(value[-1], repeats)
        if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            low, high, inner = value
            high = high if high != sre.MAXREPEAT else max(low, repeats)
            count = high if high == repeats else self.random.randint(low, min(high, max(low, repeats)))
            return "".join(self._from_tree(inner, repeats) for _ in range(count))
        if kind is sre.AT:
            return ""
        raise NotImplementedError(f"{kind} in a pattern")

    def _from_set(self, items):
        letters = []
        for kind, value in items:
            if kind is sre.LITERAL:
                letters.append(chr(value))
            elif kind is sre.RANGE:
                letters.extend(map(chr, range(value[0], value[1] + 1)))
            elif kind is sre.CATEGORY:
                letters.extend({sre.CATEGORY_DIGIT: "0123456789", sre.CATEGORY_SPACE: " "}[value])
            else:
                raise NotImplementedError(f"{kind} in a set")
        return self.random.choice(letters)

    def _integer(self, shape, location, depth):
        low = shape.metadata.get("min", -(2**31))
        return self.random.randint(low, shape.metadata.get("max", 2**31 - 1))

    def _long(self, shape, location, depth):
        low = shape.metadata.get("min", -(2**63))
        return self.random.randint(low, shape.metadata.get("max", 2**63 - 1))

    def _double(self, shape, location, depth):
        low = shape.metadata.get("min", -1e6)
        return round(self.random.uniform(low, shape.metadata.get("max", 1e6)), 4)

    _float = _double

    def _boolean(self, shape, location, depth):
        return self.random.random() < 0.5

    def _timestamp(self, shape, location, depth):
        seconds = self.random.randint(0, 4_000_000_000)
        return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)

    def _blob(self, shape, location, depth):
        return self.random.randbytes(self.random.randint(1, 60))


def plain(value):
    """A value in the notation of the conformance program: blobs and times are objects with one `$` member."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, (bytes, bytearray)):
        return {"$blob": base64.b64encode(value).decode()}
    if isinstance(value, datetime.datetime):
        return {"$time": value.timestamp()}
    return value


# === requests ===


def request(service, operation_model, values):
    """The request that botocore sends for these values."""
    serializer = create_serializer("rest-json", include_validation=False)
    parts = serializer.serialize_to_request(values, operation_model)
    botocore.awsrequest.prepare_request_dict(parts, endpoint_url="http://localhost")
    prepared = botocore.awsrequest.create_request_object(parts).prepare()
    body = prepared.body or b""
    headers = {name: text(value) for name, value in prepared.headers.items()}
    return Request(
        service=service,
        operation=operation_model.name,
        values=values,
        method=prepared.method,
        uri=prepared.url.removeprefix("http://localhost"),
        headers={name: value for name, value in headers.items() if name.lower() != "content-length"},
        body=body.encode() if isinstance(body, str) else bytes(body),
    )


def text(value):
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def valid_requests(service, per_operation, seed):
    """Random valid requests: for each operation the smallest, the fullest and some in between."""
    model = service_model(service)
    for operation in model.operation_names:
        operation_model = model.operation_model(operation)
        for number in range(per_operation):
            maker = Maker(f"{seed}/{service}/{operation}/{number}", full=number == 0)
            shape = operation_model.input_shape
            yield request(service, operation_model, maker.structure(shape) if shape else {})


# === violations ===


@dataclass
class Violation:
    """A request that breaks one rule of the model, and what an answer must say."""

    request: Request
    member: str
    rule: str
    says: str


def violations(service, seed):
    """For each operation each rule of the model broken once."""
    model = service_model(service)
    for operation in model.operation_names:
        operation_model = model.operation_model(operation)
        if operation_model.input_shape is None:
            continue
        sites = list(rules_of(operation_model.input_shape))
        for number, (path, rule, says, broken) in enumerate(sites):
            maker = Maker(f"{seed}/{service}/{operation}/broken/{number}", full=True)
            values = maker.structure(operation_model.input_shape)
            if put(values, path, broken(maker)):
                yield Violation(request(service, operation_model, values), path_text(path), rule, says)


ABSENT = object()
ITEM = object()
KEY = object()
VALUE = object()


def path_text(path):
    return ".".join({id(ITEM): "1", id(KEY): "key", id(VALUE): "value"}.get(id(step), str(step)) for step in path)


def rules_of(shape, path=(), depth=0):
    """Every (path, rule, words of the answer, maker of a value that breaks it) below a structure."""
    for name, member in shape.members.items():
        location = member.serialization.get("location")
        here = (*path, name)
        if name in shape.required_members and location != "uri":
            yield here, "required", "Member must not be null", lambda maker: ABSENT
        yield from rules_of_value(member, here, location, depth)


def rules_of_value(shape, path, location, depth):
    if depth > DEPTH_MAX:
        return
    kind, traits = shape.type_name, shape.metadata
    low, high, pattern = traits.get("min"), traits.get("max"), traits.get("pattern")
    if kind == "string":
        yield from rules_of_string(shape, path, location, low, high, pattern)
    elif kind in ("integer", "long", "double", "float"):
        if low is not None:
            yield path, "min", f"Member must have value greater than or equal to {number(low)}", lambda maker: low - 1
        if high is not None:
            yield path, "max", f"Member must have value less than or equal to {number(high)}", lambda maker: high + 1
    elif kind == "list":
        item = shape.member
        if low:
            yield path, "min", f"Member must have length greater than or equal to {low}", lambda maker: []
        if high is not None and high <= 100:
            yield path, "max", f"Member must have length less than or equal to {high}", lambda maker: [
                maker.value(item, None, DEPTH_MAX) for _ in range(high + 1)
            ]
        yield from rules_of_value(item, (*path, ITEM), location, depth + 1)
    elif kind == "map":
        if high is not None and high <= 100:
            yield path, "max", f"Member must have length less than or equal to {high}", lambda maker: {
                f"k{index}": maker.value(shape.value, None, DEPTH_MAX) for index in range(high + 1)
            }
        yield from rules_of_value(shape.key, (*path, KEY), location, depth + 1)
        yield from rules_of_value(shape.value, (*path, VALUE), location, depth + 1)
    elif kind == "structure":
        yield from rules_of(shape, path, depth + 1)


def rules_of_string(shape, path, location, low, high, pattern):
    if shape.enum:
        yield path, "enum", "Member must satisfy enum value set", lambda maker: "NOT_IN_THE_SET"
        return
    if low and location not in ("uri", "querystring"):
        yield path, "min", f"Member must have length greater than or equal to {low}", lambda maker: ""
    if high is not None and high <= 10_000:
        yield path, "max", f"Member must have length less than or equal to {high}", lambda maker: "a" * (high + 1)
    if pattern:
        pattern = PATTERNS_PUT_RIGHT.get(pattern, pattern)
        wrong = next(text for text in ("!", "!" * 16, "no") if not re.fullmatch(pattern, text))
        yield path, "pattern", "Member must satisfy regular expression pattern: ", lambda maker: wrong


def number(value):
    return int(value) if value == int(value) else value


def put(values, path, broken):
    """Puts the broken value at a path; false when the random values do not reach that far down."""
    holder, (*above, last) = values, path
    for step in above:
        if step is ITEM:
            if not holder:
                return False
            holder = holder[0]
        elif step is VALUE:
            if not holder:
                return False
            holder = next(iter(holder.values()))
        elif step in holder:
            holder = holder[step]
        else:
            return False
    if last is KEY:
        if not holder:
            return False
        holder[broken] = holder.pop(next(iter(holder)))
    elif last is VALUE:
        if not holder:
            return False
        holder[next(iter(holder))] = broken
    elif last is ITEM:
        holder[:1] = [broken]
    elif broken is ABSENT:
        holder.pop(last, None)
    else:
        holder[last] = broken
    return True


# === wrong types ===

WRONG_TYPES = {
    "string": True,
    "integer": "three",
    "long": "three",
    "double": "three",
    "float": "three",
    "boolean": {},
    "timestamp": {},
    "list": "list",
    "map": "map",
    "structure": "structure",
}


def wrong_types(service, seed):
    """For each member of each JSON body a request that sends it as another type."""
    model = service_model(service)
    for operation in model.operation_names:
        operation_model = model.operation_model(operation)
        shape = operation_model.input_shape
        if shape is None or shape.serialization.get("payload"):
            continue
        for name, member in shape.members.items():
            if "location" in member.serialization or member.type_name not in WRONG_TYPES:
                continue
            values = Maker(f"{seed}/{service}/{operation}/type/{name}").structure(shape)
            sent = request(service, operation_model, values)
            body = json.loads(sent.body or b"{}")
            body[member.serialization.get("name", name)] = WRONG_TYPES[member.type_name]
            sent.body = json.dumps(body).encode()
            sent.headers["Content-Type"] = "application/json"
            yield Violation(sent, name, "type", "")


# === answers ===


@dataclass
class Answer:
    """Values that an operation answers with."""

    service: str
    operation: str
    values: dict
    status: int
    model: object

    def line(self):
        return {"encode": True, "service": self.service, "operation": self.operation, "output": plain(self.values)}


def answers(service, per_operation, seed):
    """Random values of every operation's output."""
    model = service_model(service)
    for operation in model.operation_names:
        operation_model = model.operation_model(operation)
        shape = operation_model.output_shape
        for count in range(per_operation if shape else 1):
            maker = Maker(f"{seed}/{service}/{operation}/answer/{count}", full=count == 0)
            values = maker.structure(shape) if shape else {}
            status = operation_model.http.get("responseCode", 200)
            yield Answer(service, operation, values, status, operation_model)
