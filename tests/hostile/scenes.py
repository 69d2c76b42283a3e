"""What a hostile server does, and how purser must end.

A scene is a name, what happens to the second of three invoices, and what must come of it. Its
effects and its states are judged the same way everywhere (hostile.py): what is in the table is only
what differs from "the run ends with 0, all three have succeeded".
"""

import dataclasses

DONE, FAILED, CREDENTIALS, IN_DOUBT, NOT_FINISHED = 0, 3, 4, 7, 75


@dataclasses.dataclass
class Scene:
    name: str
    memo: str = ""  # text in the second invoice, read by rutter-sim
    first: int = DONE  # exit status of the first run
    final: int = DONE  # exit status of the last
    state: str = "succeeded"  # of the second invoice, at the end
    reason: str = ""  # and why
    options: tuple = ()  # of rutter-sim
    wait: str = ""  # for how long purser runs; "": until it ends by itself
    script: tuple = ()  # for /_sim/fail
    environment: dict = dataclasses.field(default_factory=dict)
    files: dict = dataclasses.field(default_factory=dict)  # in $HOME


def raw(text, **members):
    """The second invoice is carried out, and these bytes are the answer."""
    return dict({"raw": text, "on": "send", "match": "I-2", "act": True}, **members)


def poll_raw(text):
    return {"raw": text, "on": "poll", "match": "I-2"}


# --- 2.N: the wire -----------------------------------------------------------------------------

# Acted on, and the answer is lost, cut, late, too long or none: the same key brings the stored result.
LOST_ANSWERS = """
close reset truncated reset-body no-length chunks-cut drip slow hang trickle two-answers early-hints
hints-storm endless-hints header-flood endless-headers endless-body no-head bad-status-line
garbage garbage-no-job-id empty wrong-type duplicate-keys no-job-id no-content errors-only bare
entity odd-submit-status bad-id huge deep gzip lost-502 lost-504 no-date bad-date accepted-400
accepted-500 accepted-503 accepted-550
"""
# Not acted on: sent again.
EARLY_FAULTS = "close-early reset-early hang-early 408 429-zero 429-garbage 452 502 503 504 599 html-502 html-503"

POLL_FAULTS = """
poll-close poll-reset poll-hang poll-slow poll-drip poll-truncated poll-no-length poll-chunks-cut
poll-trickle poll-header-flood poll-endless-headers poll-hints-storm poll-endless-hints
poll-endless-body poll-no-head poll-bad-status-line poll-garbage poll-empty poll-html poll-wrong-type
poll-duplicate-keys poll-wrapped poll-huge poll-deep poll-gzip poll-no-date poll-bad-date poll-404
poll-410 poll-452 poll-500 poll-502
"""

RIGHT_HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
ANSWERS_OF_NO_SERVER = {
    "two lengths": RIGHT_HEAD + "Content-Length: 2\r\nContent-Length: 5\r\n\r\n{}{}{",
    "negative length": RIGHT_HEAD + "Content-Length: -1\r\n\r\n{}",
    "endless number as length": RIGHT_HEAD + "Content-Length: " + "9" * 400 + "\r\n\r\n{}",
    "bad chunk size": RIGHT_HEAD + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "huge chunk size": RIGHT_HEAD + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}\r\n",
    "no last chunk": RIGHT_HEAD + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    "unknown coding": RIGHT_HEAD + "Transfer-Encoding: rot13\r\n\r\n{}",
    "bytes behind the body": RIGHT_HEAD + "Content-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\n\r\n",
    "status 000": "HTTP/1.1 000 Zero\r\nContent-Length: 0\r\n\r\n",
    "status 099": "HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n",
    "status 999": "HTTP/1.1 999 High\r\nContent-Length: 0\r\n\r\n",
    "HTTP 9.9": "HTTP/9.9 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "HTTP/2 unasked": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS alert": "\x15\x03\x01\x00\x02\x02\x28",
    "FTP greeting": "220 ready\r\n",
    "100 alone": "HTTP/1.1 100 Continue\r\n\r\n",
    "switching protocols": "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
    "one byte": "H",
    "header without end": "HTTP/1.1 200 OK\r\nX-Long: " + "x" * 200000,
    "header without colon": RIGHT_HEAD + "no colon here\r\nContent-Length: 2\r\n\r\n{}",
    "control bytes in a header": RIGHT_HEAD + "X-Bad: a\x01\x02\r\nContent-Length: 2\r\n\r\n{}",
    "job id that is a path": RIGHT_HEAD + "X-Rutter-Job-ID: ../../connections\r\nContent-Length: 2\r\n\r\n{}",
    "cookies": "HTTP/1.1 503 Later\r\nSet-Cookie: session=stolen\r\nContent-Length: 0\r\n\r\n",
    "UTF-16": RIGHT_HEAD + "Content-Length: 4\r\n\r\n{\x00}\x00",
    "byte order mark": RIGHT_HEAD + "Content-Length: 5\r\n\r\n\ufeff{}",
    "another item's job": RIGHT_HEAD + "Content-Length: 117\r\n\r\n"
        '{"async_response":{"id":"11111111-2222-4333-8444-555555555555",'
        '"response_url":"x","status":"prequeued"},"note":"mine?"}',
}

# --- 2.R: addresses, redirects, credentials ------------------------------------------------------

BAD_ADDRESSES = """
foreign-url url-userinfo url-file url-port url-scheme url-traversal url-token url-fragment url-crlf
url-relative url-long
"""
REDIRECTS = "redirect redirect-301 redirect-303 redirect-307 redirect-308 acted-redirect poll-redirect poll-redirect-307"


def wire_scenes():
    for name in (LOST_ANSWERS + EARLY_FAULTS + POLL_FAULTS).split():
        yield Scene(name, "sim:" + name)
    for name, text in ANSWERS_OF_NO_SERVER.items():
        yield Scene("answer: " + name, script=(raw(text),))
        yield Scene("poll: " + name, script=(poll_raw(text),))
    yield Scene("everything at once", "sim:close*2 sim:poll-reset*2 sim:poll-garbage")
    yield Scene("new connections are dropped", script=("drop",))


def address_scenes(foreign):
    for name in BAD_ADDRESSES.split():
        yield Scene(name, "sim:" + name)
    for name in REDIRECTS.split():
        yield Scene(name, "sim:" + name, first=NOT_FINISHED)
    yield Scene("a captive portal", "sim:captive", first=NOT_FINISHED)
    yield Scene("an answer in HTML", "sim:html-200", first=NOT_FINISHED)
    proxies = {name: foreign for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY")}
    yield Scene("proxies of the environment", environment=proxies)
    netrc = "machine 127.0.0.1 login stolen password stolen\ndefault login stolen password stolen\n"
    yield Scene(".netrc", files={".netrc": netrc, ".curlrc": f"proxy = {foreign}\n"})
    negotiate = ("HTTP/1.1 401 No\r\nWWW-Authenticate: NTLM\r\nWWW-Authenticate: Negotiate\r\n"
                 'WWW-Authenticate: Digest realm="r", nonce="n"\r\nContent-Length: 0\r\n\r\n')
    yield Scene("other ways to authenticate", script=(raw(negotiate, act=False),), first=CREDENTIALS)


# --- 2.S and 2.J: keys and jobs --------------------------------------------------------------------

def job_scenes():
    for name in ("late-job", "no-body", "no-response", "regress", "odd-status", "slow-job", "flip"):
        yield Scene(name, "sim:" + name)
    for status in (400, 404, 410, 450):
        yield Scene(f"job-{status}", f"sim:job-{status}", FAILED, FAILED, "failed")
        if status != 404:
            yield Scene(f"refused with {status}", f"sim:{status}", FAILED, FAILED, "failed")
    for name in ("job-409", "job-500", "job-503", "job-550", "job-550-acted", "partial",
                 "no-http-status", "inconsistent", "wrong-key", "wrong-id", "409", "550*0"):
        yield Scene(name, "sim:" + name, IN_DOUBT, IN_DOUBT, "in_doubt")
    yield Scene("refused after an answer was lost", "sim:close sim:450", IN_DOUBT, IN_DOUBT, "in_doubt")
    yield Scene("the platform throttles the job", "sim:job-452")
    # A job that the server does not know is asked for over minutes before it is in doubt.
    two_ids = RIGHT_HEAD + "X-Rutter-Job-ID: a\r\nX-Rutter-Job-ID: b\r\nContent-Length: 2\r\n\r\n{}"
    unknown = {"first": NOT_FINISHED, "final": NOT_FINISHED, "state": "waiting", "wait": "3s"}
    yield Scene("two job ids", script=(raw(two_ids),), **unknown)
    for name in ("second-job", "lost-job", "vanished", "pending"):
        yield Scene(name, "sim:" + name, **unknown)
    # The clock of the server, hours off and without a word.
    yield Scene("a server a day ahead", "sim:close", options=("--clock-skew", "25h"))
    yield Scene("a server a day behind", "sim:close", options=("--clock-skew", "-25h"))
    yield Scene("a server without a date", "sim:no-date*0 sim:poll-no-date*0")
