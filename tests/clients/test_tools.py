"""Stagedoor's own commands, by their words: tokens and keys, config, doctor, completion, help pages."""

import json
import os
import shutil
import socket
import subprocess

import jwt
import pytest

from commands import run
from server import binary


# === Tokens and keys ===


def test_a_token_of_an_imported_key_lets_in(server, ivs, tmp_path):
    key = tmp_path / "key.pem"
    made = json.loads(run("keys", "create", "--out", str(key), "--import", "--name", "mine", "--endpoint-url", server.http))
    assert key.stat().st_mode & 0o777 == 0o600
    stage = ivs.create_stage(name="self")["stage"]
    words = ["--stage", stage["arn"], "--key", str(key), "--endpoint-url", server.http]
    token = run("token", "create", *words, "--user-id", "ada", "--attributes", "a=1", "--duration", "5").strip()
    public = ivs.get_public_key(arn=made["arn"])["publicKey"]["publicKeyMaterial"]
    claims = jwt.decode(token, public, algorithms=["ES384"])
    assert jwt.get_unverified_header(token)["kid"] == made["arn"]
    assert claims["events_url"] == stage["endpoints"]["events"] and claims["whip_url"] == stage["endpoints"]["whip"]
    assert (claims["user_id"], claims["attributes"], claims["exp"] - claims["iat"]) == ("ada", {"a": "1"}, 300)
    answer = json.loads(run("token", "create", *words, "--capabilities", "SUBSCRIBE", "--output", "json"))
    assert answer["participantToken"]["capabilities"] == ["SUBSCRIBE"]
    assert [made["arn"]] == [known["arn"] for known in json.loads(run("keys", "list", "--endpoint-url", server.http))["publicKeys"]]
    run("keys", "delete", made["arn"], "--endpoint-url", server.http)
    assert json.loads(run("keys", "list", "--endpoint-url", server.http))["publicKeys"] == []
    # The key's file is never overwritten, and one that openssl made is read.
    run("keys", "create", "--out", str(key), code=1)
    if shutil.which("openssl"):
        other = tmp_path / "other.pem"
        subprocess.run(["openssl", "ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", str(other)], check=True)
        imported = json.loads(run("keys", "import", "--key", str(other), "--endpoint-url", server.http))
        token = run("token", "create", "--stage", stage["arn"], "--key", str(other)).strip()
        assert jwt.get_unverified_header(token)["kid"] == imported["arn"]


def test_tokens_that_nobody_would_take_are_not_made(tmp_path):
    key = tmp_path / "key.pem"
    run("keys", "create", "--out", str(key))
    words = ["token", "create", "--stage", "arn:aws:ivs:us-east-1:000000000000:stage/AbC", "--key", str(key)]
    assert "keys import" in run(*words, code=1)
    arn = "arn:aws:ivs:us-east-1:000000000000:public-key/AbC"
    run(*words, "--key-arn", arn)
    for wrong in (["--user-id", "x" * 129], ["--participant-id", "a b"], ["--attributes", "a=" + "x" * 1024]):
        assert "no token can be made" in run(*words, "--key-arn", arn, *wrong, code=1)


# === The server's options and this machine ===


def test_options_come_with_their_source(tmp_path):
    file = tmp_path / "s.toml"
    file.write_text("region = 'eu-west-1'\n[[key]]\nid = 'A'\nsecret = 'hidden'\n")
    rows = json.loads(
        run("config", "--config", str(file), "--account", "111122223333", "--output", "json", STAGEDOOR_LOG="warn")
    )
    rows = {row["option"]: (row["value"], row["source"]) for row in rows}
    assert rows["region"] == ("eu-west-1", str(file))
    assert rows["account"] == ("111122223333", "flag")
    assert rows["log"] == ("warn", "STAGEDOOR_LOG")
    assert rows["listen"] == ("127.0.0.1:4566", "default")
    assert "hidden" not in str(rows) and "A" in rows["keys"][0]
    assert "fine" in run("config", "--check")
    assert "12 digits" in run("config", "--check", "--account", "1", code=1)


def test_the_doctor_finds_a_taken_port(server, tmp_path):
    free = ["--listen", "127.0.0.1:0", "--media-listen", "127.0.0.1:0", "--rtmp-listen", "127.0.0.1:0", "--rtmps-listen", "127.0.0.1:0"]
    where = ["--data-dir", str(tmp_path / "data")]
    assert "ok " in run("doctor", *free, *where)
    assert not (tmp_path / "data").exists()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        told = run("doctor", *free[2:], "--listen", address, *where, "--output", "json", code=1)
        error = next(finding for finding in json.loads(told) if finding["level"] == "error")
        assert address in error["what"] and "--listen" in error["advice"]
    # A server of ours is no error, and its store is not disturbed.
    assert "a Stagedoor runs here" in run("doctor", *free[2:], "--listen", server.http[7:], "--data-dir", str(server.data_dir))


# === Completion and help ===


def completed(line):
    """What bash offers at the end of a line."""
    script = """
        source <("$1" completion bash)
        COMP_WORDS=("$1" "${@:2}"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _stagedoor; printf '%s\\n' "${COMPREPLY[@]}"
    """
    words = ["bash", "--norc", "-c", script, "bash", binary(), *line]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout.split()


def test_bash_completes_words():
    assert completed(["ivs-realtime", "get-sta"]) == ["get-stage", "get-stage-session"]
    assert "pull" in completed(["p"])
    assert completed(["apigateway", "put-integration", "--type", "HTTP"]) == ["HTTP", "HTTP_PROXY"]
    assert "--stage-arn" in completed(["ivs-realtime", "create-participant-token", "--st"])
    assert completed(["token", "create", "--ou"]) == ["--output"]
    assert completed(["token", "create", "--output", "j"]) == ["json"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_scripts_of_other_shells_are_valid(shell, tmp_path):
    script = tmp_path / "script"
    script.write_text(run("completion", shell))
    if shutil.which(shell):
        subprocess.run([shell, "-n", str(script)], check=True, timeout=60)
    assert "get-stage" in run("completion", shell, "--", "ivs-realtime", "get-sta")


def test_help_pages_say_everything():
    page = run("ivs-realtime", "create-participant-token", "help")
    for part in ("SYNOPSIS", "--stage-arn (string) [required]", "o PUBLISH", "participantToken -> (structure)"):
        assert part in page
    assert "o get-stage\n" in run("ivs-realtime", "help")
