"""Prints the CPU time a request from the /_sim/stats on standard input."""
import json
import sys

stats = json.load(sys.stdin)
count = stats["requests"]
print(
    f"requests {count}, sends {stats['sends']}, polls {stats['polls']}, "
    f"cpu {stats['cpu_us'] / count:.2f} us/request "
    f"(user {stats['cpu_user_us'] / count:.2f}, system {stats['cpu_system_us'] / count:.2f}), "
    f"max rss {stats['max_rss_kb'] // 1024} MB"
)
