"""What tests say about answers, in one word each."""

import time

import pytest
from botocore.exceptions import ClientError

# Only a test that fails waits for so long; a machine that builds something beside must not make it fail.
DEADLINE_SECONDS = 30


def members(answer):
    """The members of a boto3 answer, without what boto3 adds."""
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def refused(code, status, message, call, **arguments):
    """The call fails with this code and status, and this is part of its text."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response
    assert error["Error"]["Code"] == code
    assert error["ResponseMetadata"]["HTTPStatusCode"] == status
    assert message in error["Error"]["Message"]


def eventually(look, seconds=DEADLINE_SECONDS):
    """What `look` answers, as soon as it is something that counts as true."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
