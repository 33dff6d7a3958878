"""Programs that stand beside the server: each is started with a configuration of its own and ended again."""

import os
import socket
import subprocess
from contextlib import contextmanager

from measure import children
from expect import eventually  # `measure` has made it importable


@contextmanager
def nginx(folder, server_block, workers=1):
    """Debian's nginx with one server block; its port and process ids."""
    port = free_port()
    folder.mkdir()
    config = folder / "nginx.conf"
    config.write_text(
        f"""daemon off; worker_processes {workers}; pid {folder}/pid; error_log {folder}/error.log;
        events {{ worker_connections 4096; }}
        http {{
            access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
            uwsgi_temp_path {folder}; scgi_temp_path {folder}; keepalive_requests 1000000000;
            {server_block.replace("@PORT@", str(port))}
        }}"""
    )
    program = next(path for path in ("/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx") if os.path.exists(path))
    process = subprocess.Popen([program, "-c", str(config), "-e", f"{folder}/error.log"], stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: answers(port))
        yield port, [process.pid, *children(process.pid)]
    finally:
        process.terminate()
        process.wait(10)


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def answers(port, address="127.0.0.1"):
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) == 0
