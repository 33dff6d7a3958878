"""Janus of Debian, set up to forward as cheaply as it can: one event loop, no session timeouts, no cap on rates."""

import subprocess
from contextlib import contextmanager

from expect import eventually

from peers import answers, free_port

ROOM = 1
FEED = 7


@contextmanager
def janus(folder, address):
    """A running Janus whose media has this address: its HTTP API and the process id."""
    folder.mkdir()
    port = free_port()
    files = {
        "janus.jcfg": f"""
            general: {{
                configs_folder = "{folder}"
                debug_level = 2
                session_timeout = 0
                event_loops = 1
            }}
            nat: {{ ice_enforce_list = "{address}" }}
            plugins: {{ disable = "{disabled("audiobridge", "duktape", "echotest", "lua", "nosip", "recordplay", "sip", "streaming", "textroom", "videocall", "voicemail")}" }}
            transports: {{ disable = "{disabled("mqtt", "nanomsg", "pfunix", "rabbitmq", "websockets")}" }}
            events: {{ broadcast = false }}
            """,
        "janus.transport.http.jcfg": f"""
            general: {{ json = "compact" base_path = "/janus" http = true port = {port} ip = "{address}" https = false }}
            admin: {{ admin_http = false }}
            """,
        "janus.plugin.videoroom.jcfg": f"""
            room-{ROOM}: {{ description = "load" publishers = 100 bitrate = 100000000 fir_freq = 0 videocodec = "h264" }}
            """,
    }
    for name, text in files.items():
        (folder / name).write_text("\n".join(line.strip() for line in text.splitlines()))
    with open(folder / "log", "w") as log:
        process = subprocess.Popen(["janus", "-F", str(folder)], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder)
    try:
        eventually(lambda: answers(port, address))
        yield f"http://{address}:{port}/janus", process.pid
    finally:
        process.kill()
        process.wait(10)


def disabled(*names):
    return ",".join(f"libjanus_{name}.so" for name in names)
