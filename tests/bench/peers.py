"""Programs that stand beside the server, each with a configuration for the same work: HAProxy and nginx of Debian, Envoy.

The work is that of an HTTP API's stage with a throttle, an access log and request ids: limit the rate (by a limit that is
never reached), add an id and what is known of the client, pass the request on over a connection that is kept, name the id
in the answer, write a line to a file. Each runs one thread, which costs it least.
"""

import os
import pathlib
import socket
import subprocess
import sys
from contextlib import contextmanager

from measure import children
from expect import eventually  # `measure` has made it importable

RATE = 1_000_000


@contextmanager
def nginx(folder, blocks):
    """Debian's nginx with these blocks of its `http`; its port and process ids."""
    port = free_port()
    folder.mkdir()
    config = folder / "nginx.conf"
    config.write_text(
        f"""daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
        events {{ worker_connections 4096; }}
        http {{
            access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
            uwsgi_temp_path {folder}; scgi_temp_path {folder}; keepalive_requests 1000000000;
            {blocks.replace("@PORT@", str(port))}
        }}"""
    )
    command = [program("nginx"), "-c", str(config), "-e", f"{folder}/error.log"]
    with running(command, port, folder) as process:
        # The port is open before the process that serves it has begun.
        yield port, [process.pid, *eventually(lambda: children(process.pid))]


def nginx_backend(folder):
    """What all proxies pass requests on to: a line of text."""
    return nginx(
        folder, 'server { listen 127.0.0.1:@PORT@; location / { default_type text/plain; return 200 "hello from the backend"; } }'
    )


def nginx_proxy(folder, backend):
    return nginx(
        folder,
        f"""log_format line '$remote_addr [$time_local] "$request" $status $body_bytes_sent $request_id';
        limit_req_zone $server_name zone=all:1m rate={RATE}r/s;
        upstream backend {{ server 127.0.0.1:{backend}; keepalive 512; keepalive_requests 1000000000; }}
        server {{
            listen 127.0.0.1:@PORT@;
            access_log {folder}/access.log line buffer=64k flush=1s;
            limit_req zone=all burst=100000 nodelay;
            location / {{
                proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection "";
                proxy_set_header Forwarded "for=$remote_addr;host=$http_host;proto=$scheme";
                proxy_set_header X-Request-Id $request_id;
                add_header X-Request-Id $request_id;
            }}
        }}""",
    )


@contextmanager
def haproxy(folder, backend):
    port = free_port()
    folder.mkdir()
    config = folder / "haproxy.cfg"
    config.write_text(
        f"""global
    nbthread 1
    maxconn 4096
    log stdout format raw local0 info
defaults
    mode http
    log global
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend stage
    bind 127.0.0.1:{port}
    log-format "%ci [%tr] %{{+Q}}r %ST %B %ID"
    unique-id-format %{{+X}}o\\ %ci:%cp_%fi:%fp_%Ts_%rt:%pid
    unique-id-header X-Request-Id
    stick-table type integer size 10 expire 10s store http_req_rate(1s)
    http-request track-sc0 int(1)
    http-request deny deny_status 429 if {{ sc_http_req_rate(0) gt {RATE} }}
    http-request set-header Forwarded "for=%[src];host=%[req.hdr(host)];proto=http"
    http-response set-header X-Request-Id %[unique-id]
    default_backend upstream
backend upstream
    http-reuse always
    server only 127.0.0.1:{backend} pool-max-conn 512
"""
    )
    with running([program("haproxy"), "-f", str(config)], port, folder) as process:
        yield port, [process.pid]


@contextmanager
def envoy(folder, backend):
    port = free_port()
    folder.mkdir()
    config = folder / "envoy.yaml"
    config.write_text(
        f"""
static_resources:
  listeners:
  - address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: stage
          always_set_request_id_in_response: true
          use_remote_address: true
          access_log:
          - name: envoy.access_loggers.file
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
              path: {folder}/access.log
              log_format:
                text_format_source:
                  inline_string: '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% [%START_TIME%] "%REQ(:METHOD)% %REQ(:PATH)% %PROTOCOL%" %RESPONSE_CODE% %BYTES_SENT% %REQ(X-REQUEST-ID)%

                    '
          http_filters:
          - name: envoy.filters.http.local_ratelimit
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit
              stat_prefix: throttle
              token_bucket: {{max_tokens: {RATE}, tokens_per_fill: {RATE}, fill_interval: 1s}}
              filter_enabled: {{default_value: {{numerator: 100, denominator: HUNDRED}}}}
              filter_enforced: {{default_value: {{numerator: 100, denominator: HUNDRED}}}}
          - name: envoy.filters.http.router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes: [{{match: {{prefix: "/"}}, route: {{cluster: backend}}}}]
  clusters:
  - name: backend
    circuit_breakers: {{thresholds: [{{max_connections: 4096, max_pending_requests: 4096, max_requests: 4096}}]}}
    load_assignment:
      cluster_name: backend
      endpoints:
      - lb_endpoints:
        - endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {backend}}}}}}}
"""
    )
    command = [str(pathlib.Path(sys.executable).parent / "envoy"), "--concurrency", "1", "--disable-hot-restart", "-l", "error"]
    with running([*command, "-c", str(config)], port, folder) as process:
        yield port, [process.pid]


@contextmanager
def running(command, port, folder):
    """A program that listens on this port, from when it does."""
    with open(folder / "output", "wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
    try:
        eventually(lambda: answers(port))
        yield process
    finally:
        process.terminate()
        process.wait(10)


def program(name):
    """Where Debian puts what only administrators use."""
    folders = ("/usr/sbin", "/usr/local/sbin", "/usr/bin")
    return next(path for path in (f"{folder}/{name}" for folder in folders) if os.path.exists(path))


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def answers(port, address="127.0.0.1"):
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) == 0
