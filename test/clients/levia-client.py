"""A developer's backend on python-requests: asks one question per line of standard input, prints one JSON report per answer.

Usage: levia-client.py BASE_URL API_KEY USER_ID
"""
import json
import sys

import requests

base_url, api_key, user_id = sys.argv[1:]
chat_url = base_url + "/levia/chat"
headers = {"Authorization": "Bearer " + api_key, "Content-Type": "application/json"}


def active_request():
    response = requests.get(f"{chat_url}/request/{user_id}", headers=headers)
    if response.status_code == 404:
        return None
    response.raise_for_status()
    return response.json()["request_id"]


def events_of(request_id):
    """Decodes every chunk by itself and strictly: a character cut in two between chunks raises."""
    response = requests.get(f"{chat_url}/stream/{request_id}", headers=headers, stream=True)
    pending = ""
    for chunk in response.iter_content(chunk_size=1024):
        pending += chunk.decode("utf-8")
        while "\n\n" in pending:
            event, pending = pending.split("\n\n", 1)
            for line in event.split("\n"):
                if line.startswith("data:"):
                    yield json.loads(line[5:].strip())


def ask(session_id, question):
    before = active_request()
    sent = requests.post(chat_url, headers=headers, json={"user_id": user_id, "intent": question, "session_id": session_id})
    assert sent.status_code == 202, sent.text
    request_id = sent.json()["request_id"]
    pieces = []
    report = {"request_id": request_id, "active_before": before, "active_during": active_request(), "reply": None, "error": None}
    for event in events_of(request_id):
        if event["type"] == "stream" and event["data"]["type"] == "text":
            pieces.append(event["data"]["content"])
        elif event["type"] == "complete":
            report["reply"] = event["data"]["reply"]
            break
        elif event["type"] == "error":
            report["error"] = event["data"]["error"]
            break
    return {**report, "pieces": pieces, "active_after": active_request()}


created = requests.post(chat_url + "/create", headers=headers, json={"user_id": user_id})
assert created.status_code == 201, created.text
for line in sys.stdin:
    print(json.dumps(ask(created.json()["session_id"], json.loads(line))), flush=True)
