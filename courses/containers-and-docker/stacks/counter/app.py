"""Counts its visitors. The count is kept in redis, so it outlives this program."""

import socket

from flask import Flask

app = Flask(__name__)


def increment(key):
    # Redis also speaks plain lines (https://redis.io/docs/latest/develop/reference/protocol-spec/), so no library is needed.
    with socket.create_connection(("redis", 6379), timeout=5) as redis:
        redis.sendall(f"INCR {key}\r\n".encode())
        answer = redis.makefile("rb").readline()
    return int(answer.lstrip(b":"))


@app.route("/")
def hello():
    return f"""<!doctype html>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>A page that counts</title>
<main style="font: 1.2rem/1.6 system-ui, sans-serif; max-width: 34rem; margin: 15vh auto; padding: 0 1rem">
  <h1>Hello, visitor number {increment("visits")}!</h1>
  <p>Reload this page: the number is kept in <code>redis</code>, another container.</p>
  <p>This page came from the container <code>{socket.gethostname()}</code>.</p>
</main>
"""


app.run(host="0.0.0.0", port=5000)
