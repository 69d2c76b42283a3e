#!/usr/bin/env python3
"""Plants a bug into a copy of a source file; prove-curl must find it.

    plant.py --list               one line a bug: name, file
    plant.py NAME SOURCE OUTPUT   OUTPUT becomes SOURCE with that bug

The text that is replaced must be there exactly once.
"""
import sys

TRANSPORT = "src/io/curl_transport.c"
OPEN = "src/io/curl_transport_open.c"
ANSWER = "src/io/curl_transport_answer.c"
SOCKET = "src/io/curl_transport_socket.c"

PLANTS = {
    "a_cut_body_counts": (TRANSPORT, "if (result == CURLE_OK && http_status >= 200 &&",
                          "if (http_status >= 200 &&"),
    "a_cut_head_counts": (TRANSPORT, "slot->answer.headers_complete &&", "true &&"),
    "a_damaged_status_line_counts": (TRANSPORT, "slot->answer.http_status == http_status)", "true)"),
    "no_answer_is_not_sent": (TRANSPORT, "if (slot->send_count > 0)\n",
                              "if (slot->send_count > 0 && http_status > 0)\n"),
    "no_time_out": (TRANSPORT, "(long)request->timeout_ms);", "(long)request->timeout_ms * 2);"),
    "a_connection_is_kept_after_a_write_without_repeat": (
        TRANSPORT, "CURLOPT_FORBID_REUSE, request->at_most_once ? 1L : 0L",
        "CURLOPT_FORBID_REUSE, 0L"),
    "an_old_connection_for_a_write_without_repeat": (
        TRANSPORT, "CURLOPT_FRESH_CONNECT, request->at_most_once ? 1L : 0L",
        "CURLOPT_FRESH_CONNECT, 0L"),
    "sent_again_in_silence": (OPEN, "return slot->send_count > 1 ? CURL_PREREQFUNC_ABORT :",
                              "return slot->send_count > 9 ? CURL_PREREQFUNC_ABORT :"),
    "redirects_are_followed": (OPEN, "SET(easy, CURLOPT_FOLLOWLOCATION, 0L);\n"
                                     "    SET(easy, CURLOPT_MAXREDIRS, 0L);",
                               "SET(easy, CURLOPT_FOLLOWLOCATION, 1L);\n"
                               "    SET(easy, CURLOPT_MAXREDIRS, 2L);"),
    "old_connections_are_used": (OPEN, "CONNECTION_IDLE_S = 118", "CONNECTION_IDLE_S = 600"),
    "connections_live_for_ever": (OPEN, "CONNECTION_LIFE_S = 3600", "CONNECTION_LIFE_S = 36000"),
    "trailers_are_headers": (ANSWER, "else if (!answer->headers_complete)\n", "else\n"),
    "hints_are_headers": (
        ANSWER,
        "    answer->content_type[0] = answer->request_id[0] = answer->job_id[0] = '\\0';\n", ""),
    "bodies_are_joined": (ANSWER, "    buf_clear(&body);\n", ""),
    "descriptors_leak": (SOCKET, "    return close(socket);", "    return socket < 0;"),
}


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(f"{name} {plant[0]}" for name, plant in PLANTS.items()))
        return
    name, source, output = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        text = file.read()
    _, before, after = PLANTS[name]
    if text.count(before) != 1:
        sys.exit(f"plant.py: {name}: its text is {text.count(before)} times in {source}")
    with open(output, "w", encoding="utf-8") as file:
        file.write(text.replace(before, after))


if __name__ == "__main__":
    main()
