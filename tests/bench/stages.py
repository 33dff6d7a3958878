"""Figures of the HTTP data plane: what a stage serves per second of CPU time, beside proxies that do the same work."""

from contextlib import ExitStack

from measure import per_cpu_second, row
from peers import nginx

import setups
from conftest import client, execute_api
from expect import eventually
from server import Server


def proxying(folder):
    """HTTP_PROXY beside nginx to the same backend, and MOCK, in requests per CPU second."""
    backend = 'server { listen 127.0.0.1:@PORT@; location / { default_type text/plain; return 200 "hello from the backend"; } }'
    with ExitStack() as stack:
        backend_port, _ = stack.enter_context(nginx(folder / "backend", backend))
        peer = (
            f"upstream backend {{ server 127.0.0.1:{backend_port}; keepalive 64; keepalive_requests 1000000000; }} "
            "server { listen 127.0.0.1:@PORT@; location / { proxy_pass http://backend; proxy_http_version 1.1; "
            'proxy_set_header Connection ""; } }'
        )
        peer_port, peer_pids = stack.enter_context(nginx(folder / "peer", peer))
        server = stack.enter_context(Server(folder / "proxying"))
        pids = [server.process.pid]
        http = setups.http_api(client(server, "apigatewayv2"), f"http://127.0.0.1:{backend_port}", "ANY /{proxy+}")
        eventually(lambda: execute_api(server, http, "GET", "/pets").status == 200)
        v1 = client(server, "apigateway")
        rest, root = setups.rest_api(v1)
        proxy = setups.resource(v1, rest, root, "{proxy+}")
        setups.proxy_method(v1, rest, proxy, f"http://127.0.0.1:{backend_port}/{{proxy}}", path_variables=["proxy"])
        setups.mock_method(v1, rest, setups.resource(v1, rest, root, "mock"))
        v1.create_deployment(restApiId=rest, stageName="prod")

        def host(api):
            return {"Host": f"{api}.execute-api.us-east-1.amazonaws.com"}

        nginx_rate, _ = per_cpu_second(f"http://127.0.0.1:{peer_port}/pets", {}, peer_pids)
        for name, url, headers in [
            ("HTTP API, `HTTP_PROXY`", f"{server.http}/pets", host(http)),
            ("REST API, `HTTP_PROXY`", f"{server.http}/prod/pets", host(rest)),
        ]:
            rate, load = per_cpu_second(url, headers, pids)
            row(name, f"{rate:.0f} per CPU second, p99 {load['p99']:.2f} ms", f"nginx: {nginx_rate:.0f} per CPU second")
        rate, load = per_cpu_second(f"{server.http}/prod/mock", host(rest), pids)
        row("REST API, `MOCK`", f"{rate:.0f} per CPU second, {load['rate']:.0f} per second, p99 {load['p99']:.2f} ms")
