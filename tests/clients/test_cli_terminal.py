"""Our client on a terminal: the prompt and the pager."""

from commands import Terminal, run

PAGER = "sed s/^/paged:/"


def test_the_prompt_asks_for_what_is_missing(server, ivs):
    arn = ivs.create_stage(name="prompted")["stage"]["arn"]
    with Terminal("--cli-auto-prompt", "--endpoint-url", server.http) as terminal:
        terminal.until(b"Service")
        terminal.write(b"ivs-realtime\r")
        terminal.until(b"Operation")
        terminal.write(b"get-stage\r")
        terminal.until(b"arn")
        terminal.write(arn.encode() + b"\r")
        terminal.until(b"Option")
        terminal.write(b"\r")
        terminal.until(b"> stagedoor ivs-realtime get-stage --arn " + arn.encode())
        terminal.until(b"prompted")


def test_the_prompt_wants_a_terminal():
    assert "needs a terminal" in run("ivs-realtime", "--cli-auto-prompt", code=252)


def test_answers_go_through_the_pager_on_a_terminal(server, ivs, tmp_path):
    arn = ivs.create_stage(name="read-slowly")["stage"]["arn"]
    words = ["ivs-realtime", "get-stage", "--arn", arn, "--endpoint-url", server.http]

    def printed(*more, **variables):
        with Terminal(*words, *more, **variables) as terminal:
            return terminal.until(b"read-slowly").splitlines()[0]

    (tmp_path / "config").write_text(f"[default]\ncli_pager = {PAGER}\n")
    assert printed(AWS_PAGER=PAGER) == b"paged:{"
    assert printed(AWS_PAGER=None, AWS_CONFIG_FILE=str(tmp_path / "config")) == b"paged:{"
    assert printed("--no-cli-pager", AWS_PAGER=PAGER) == b"{"
    assert printed(AWS_PAGER="") == b"{"
    assert printed(AWS_PAGER="/no/such/pager") == b"{"
    # Not on a terminal, not paged.
    assert run(*words, AWS_PAGER=PAGER).startswith("{")
    assert "paged:NAME" in help_page()


def help_page():
    with Terminal("ivs-realtime", "get-stage", "help", AWS_PAGER=PAGER) as terminal:
        return terminal.until(b"DESCRIPTION").decode()
