"""A partner application on python-requests: sends one message, prints every data line as it comes, without separators.

Usage: graph-client.py BASE_URL API_KEY USER_ID THREAD_ID MESSAGE

Ends with 1 when the stream stops without its end mark.
"""
import sys

import requests

base_url, api_key, user_id, thread_id, message = sys.argv[1:]
headers = {"X-API-Key": api_key, "Content-Type": "application/json"}
body = {"message": message, "user_id": user_id, "thread_id": thread_id}

with requests.post(base_url + "/api/v1/graph/stream", json=body, headers=headers, stream=True) as response:
    response.raise_for_status()
    for line in response.iter_lines():
        if not line:
            continue
        decoded = line.decode("utf-8")
        if decoded.startswith("data: "):
            content = decoded.replace("data: ", "")
            if content == "[DONE]":
                sys.exit(0)
            print(content, end="", flush=True)
sys.exit(1)
