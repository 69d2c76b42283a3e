#!/usr/bin/env python3
"""nginx between purser and rutter-sim: as a rate limiter that nobody here wrote, and as the TLS and
HTTP/2 that most servers have in front of them.

--what limit   nginx lets 100 requests a second through, and a burst of 20, and refuses the others
               with 429; the simulator has no limit. All items succeed, and not by hammering.
--what http2   nginx speaks TLS, with a certificate of an authority made here, and HTTP/2. All items
               succeed, all requests are HTTP/2, and nearly all go over one connection at a time.

The judge is the wire ledger of rutter-sim; nginx's own log tells of refusals and connections.
"""

import collections
import json
import os
import subprocess
import sys

import peer

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import judge  # noqa: E402  (found through the path above)
from simulator import Simulator  # noqa: E402

ITEMS = 500
REFUSED_SHARE_MAX = 0.15
KEYS = [f"SKU-{number}" for number in range(ITEMS)]
IN_FLIGHT = 32
# By default nginx ends a connection after 1,000 requests; fewer, so that it happens.
REQUESTS_A_CONNECTION = 400

CONFIGURATION = """\
daemon off;
master_process off;
pid nginx.pid;
error_log error.log;
events {{ worker_connections 512; }}
http {{
    log_format told '$status $server_protocol $connection $request_method';
    access_log access.log told;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    upstream sim {{ server 127.0.0.1:{sim}; keepalive 32; }}
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
{server}
}}
"""

LIMIT = """\
    limit_req_zone all zone=all:1m rate=100r/s;
    limit_req_status 429;
    server {{
        listen 127.0.0.1:{port};
        location / {{ limit_req zone=all burst=20 nodelay; error_page 429 @slow; proxy_pass http://sim; }}
        location @slow {{
            default_type application/json;
            return 429 '{{"error_type":"API_REQUEST_ERROR","error_code":"RATE_LIMIT","error_message":"slow down"}}';
        }}
    }}
"""

HTTP2 = """\
    keepalive_requests {requests};
    server {{
        listen 127.0.0.1:{port} ssl http2;
        ssl_certificate server.pem;
        ssl_certificate_key server.key;
        location / {{ proxy_pass http://sim; }}
    }}
"""


def spec_of(base, ca_file):
    rows = [{"sku": key, "name": f"product {key}"} for key in KEYS]
    return json.dumps({
        "purser": 1,
        "name": "nginx",
        "api": {"environment": base + "/versioned", **({"ca_file": ca_file} if ca_file else {})},
        "connections": {"shop": {"platform": "SHOPIFY", "access_token": {"env": "TEST_ACCESS_TOKEN"},
                                 "limits": {"in_flight": IN_FLIGHT}}},
        "jobs": {"products": {
            "source": {"key": "${row.sku}", "inline": rows},
            "request": "POST /products",
            "body": {"product": {"name": "${row.name}", "description": "made by a test",
                                 "variants": [{"sku": "${row.sku}", "price": 1.5,
                                               "option_values": []}]}}}},
    })


def openssl(folder, *arguments):
    done = subprocess.run([peer.program("openssl", "openssl"), *arguments], cwd=folder,
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise peer.Wrong(f"openssl {arguments[0]}: {done.stderr}")


def make_certificates(folder):
    """An authority, and what it says of 127.0.0.1."""
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl(folder, "req", "-x509", *new, "-days", "1", "-subj", "/CN=authority of a test",
            "-keyout", "authority.key", "-out", "authority.pem")
    openssl(folder, "req", *new, "-subj", "/CN=127.0.0.1", "-keyout", "server.key", "-out",
            "server.csr")
    with open(os.path.join(folder, "server.ext"), "w", encoding="utf-8") as file:
        file.write("subjectAltName=IP:127.0.0.1\n")
    openssl(folder, "x509", "-req", "-in", "server.csr", "-CA", "authority.pem", "-CAkey",
            "authority.key", "-CAcreateserial", "-days", "1", "-extfile", "server.ext", "-out",
            "server.pem")


def start(folder, simulator, server):
    program = peer.program("nginx", "nginx-light")

    def command_of(port):
        with open(os.path.join(folder, "nginx.conf"), "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(sim=simulator.port, server=server.format(
                port=port, requests=REQUESTS_A_CONNECTION)))
        return [program, "-p", folder, "-c", "nginx.conf", "-e", "error.log"]

    return peer.Peer(command_of, folder, "nginx")


def told(folder):
    """nginx's log: status, protocol, number of the connection and method of each request."""
    with open(os.path.join(folder, "access.log"), encoding="utf-8") as file:
        return [tuple(line.split()) for line in file]


def judge_limit(requests):
    """429s there are, but a learned rate keeps them few."""
    refused = sum(status == "429" for status, *_ in requests)
    if refused == 0:
        yield "nothing was refused: the limit was no limit"
    if refused > REFUSED_SHARE_MAX * len(requests):
        yield f"{refused} of {len(requests)} requests were refused"
    print(f"nginx limit: {len(requests)} requests, {refused} refused with 429 "
          f"({100 * refused / len(requests):.1f} %)")


def judge_http2(requests):
    protocols = collections.Counter(protocol for _, protocol, *_ in requests)
    connections = collections.Counter(connection for _, _, connection, _ in requests)
    least = -(-len(requests) // REQUESTS_A_CONNECTION)
    if set(protocols) != {"HTTP/2.0"}:
        yield f"protocols: {dict(protocols)}"
    # When a connection is used up, what is on the way at that moment may go over one each.
    strays = len(requests) - sum(count for _, count in connections.most_common(least))
    if strays > (least - 1) * IN_FLIGHT:
        yield f"{len(connections)} connections, {least} would do: {dict(connections)}"
    print(f"nginx http2: {len(requests)} requests over {len(connections)} connections, of at most "
          f"{REQUESTS_A_CONNECTION} requests each: {sorted(connections.values(), reverse=True)}")


def trial(options, folder, server, is_tls, judge_log):
    with Simulator(options.sim) as simulator, start(folder, simulator, server) as front:
        base = front.origin.replace("http:", "https:") if is_tls else front.origin
        spec = spec_of(base, "authority.pem" if is_tls else None)
        purser = peer.Purser(options, folder, spec)
        report = purser.run_all(ITEMS, "--wait", "120s")
        lines = simulator.ledger()
        front.process.terminate()  # a fast end, with its log written
        front.process.wait()
    said = judge.read_report(lambda *words: purser.ask(*words).stdout,
                             os.path.join(folder, "results"))
    problems = [str(verdict) for verdict in judge.judge(lines, said, KEYS)]
    problems += judge_log(told(folder))
    print(f"purser: {report['this_run']}, {report['elapsed_ms'] / 1000:.1f} s")
    if problems:
        raise peer.Wrong("\n".join(problems))


def limit(options, folder):
    trial(options, folder, LIMIT, False, judge_limit)


def http2(options, folder):
    make_certificates(folder)
    trial(options, folder, HTTP2, True, judge_http2)


if __name__ == "__main__":
    sys.exit(peer.main(__doc__, {"limit": limit, "http2": http2}))
